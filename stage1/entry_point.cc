// SPDX-License-Identifier: Apache-2.0
#include "stage1/entry_point.hh"

#include "common/sys/log.hh"
#include "common/sys/process.hh"

namespace rocket::stage1
{

int entry_point(const std::string& name, const std::function<int()>& act)
{
    ensure_standard_fds();
    log::set_prefix(name);
    try {
        return act();
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return own_failure;
}

} // namespace rocket::stage1
