// SPDX-License-Identifier: Apache-2.0
// iptables of the network namespace we are in, through its programs iptables-save(8) and iptables-restore(8): there is
// no library for others. One transaction per table and call. Errors: Kind::system with what the program says.
#pragma once

#include <string>

namespace rocket::stage1
{

class Iptables
{
public:
    static bool is_installed(); // for both families

    // `held_fd` stays open as long as one of the programs works (foreign_program.hh).
    explicit Iptables(int held_fd) : held_fd_{held_fd} {}

    std::string save(bool v6) const;
    void restore(bool v6, const std::string& input) const; // adds to what there is

private:
    int held_fd_;
};

} // namespace rocket::stage1
