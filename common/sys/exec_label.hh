// SPDX-License-Identifier: Apache-2.0
// Where a thread says under which security label its next execve(2) is to begin: files in its /proc. AppArmor wants a
// command before the profile's name (aa_change_onexec(2)), SELinux the context alone (setexeccon(3)). Nothing but
// constants: stage2-helpers have no libraries.
#pragma once

namespace rocket::exec_label
{

constexpr const char* apparmor_file = "thread-self/attr/apparmor/exec"; // in /proc
constexpr const char* apparmor_command = "exec ";
constexpr const char* selinux_file = "thread-self/attr/exec";

} // namespace rocket::exec_label
