// SPDX-License-Identifier: Apache-2.0
#include "stage1/execute.hh"

#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <csignal>

#include "common/sys/sys.hh"
#include "common/sys/words.hh"
#include "stage1/security_labels.hh"

namespace rocket::stage1
{

namespace
{

void go_to(const std::string& directory)
{
    sys::check([&] { return ::chdir(directory.c_str()); }, "going to directory {}", text::quoted(directory));
    char where[PATH_MAX + 16];
    if (::syscall(SYS_getcwd, where, sizeof where) <= 0 || where[0] != '/') // "(unreachable)": outside the root (R7)
        fail(Error::Kind::system, "directory {} is not in the app's root", text::quoted(directory));
}

} // namespace

void leave_session_keyring()
{
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS && errno != EPERM)
        throw system_error(errno, "leaving the caller's session keyring");
}

void execute(const Program& program)
{
    const auto argv = pointers_to(program.argv);
    const auto env = pointers_to(program.env);
    label_next_exec(program.credentials.labels);
    take_on(program.credentials);
    go_to(program.working_directory);
    sys::check([] { return ::close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC); }, "closing descriptors");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a change of user undid it before
    install_filters(program.credentials);
    ::execve(program.path.c_str(), argv.data(), env.data());
    throw ExecError{system_error(errno, fmt::format("executing {}", text::quoted(program.path)))};
}

} // namespace rocket::stage1
