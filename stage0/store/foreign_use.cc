// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/foreign_use.hh"

#include <unistd.h>

#include "common/sys/file.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "config.hh"

namespace rocket::store
{

namespace
{

constexpr const char* image_users = "/run/rocket/image-users";

// UID-PID-START
std::string name_of(const std::string& uid, const std::string& pid, unsigned long long start)
{
    return fmt::format("{}-{}-{}", uid, pid, start);
}

bool is_alive(const std::string& name)
{
    const auto words = text::split(name, '-');
    const auto pid = words.size() == 3 ? text::parse_decimal(words[1], INT32_MAX) : std::nullopt;
    const auto start = pid ? start_time(static_cast<pid_t>(*pid)) : std::nullopt;
    return start && name_of(words[0], words[1], *start) == name;
}

} // namespace

void record_foreign_use(uid_t uid, pid_t pid, const model::ImageId& id)
{
    const auto start = start_time(pid);
    if (!start)
        fail(Error::Kind::not_found, "process {} has ended", pid);
    sys::make_dir_if_missing(AT_FDCWD, image_users, 0755);
    const auto dir = sys::open(AT_FDCWD, image_users, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const auto name = name_of(std::to_string(uid), std::to_string(pid), *start);
    const auto known = file::read_if_exists(dir.get(), name).value_or("");
    file::write_volatile(dir.get(), name, known + id.str() + "\n");
}

std::map<model::ImageId, std::string> foreign_uses(const model::Layout& layout)
{
    std::map<model::ImageId, std::string> uses;
    if (layout.data() != ROCKET_DATA_DIR)
        return uses;
    const auto dir = sys::open_if_exists(AT_FDCWD, image_users, O_RDONLY | O_DIRECTORY);
    if (!dir)
        return uses;
    for (const auto& name : file::list(dir->get(), ".")) {
        if (!is_alive(name)) {
            ::unlinkat(dir->get(), name.c_str(), 0); // whoever may, tidies up
            continue;
        }
        const auto words = text::split(name, '-');
        for (const auto& line : text::split(file::read_if_exists(dir->get(), name).value_or(""), '\n'))
            if (!line.empty())
                uses.emplace(model::ImageId::parse(line), fmt::format("process {} of user {}", words[1], words[0]));
    }
    return uses;
}

} // namespace rocket::store
