// SPDX-License-Identifier: Apache-2.0
// exec-app [--only-after-main] [--apparmor-profile=NAME] [--selinux-context=CONTEXT] [NAME=VALUE]... -- PATH ARGV0
// [ARG]... Executes PATH with these variables added to its environment. PID 1 of the pod executes it, in the app's root
// and with all of the app's confinement in force, for what no unit property can say:
//   - variables that appc allows and systemd does not: with '.' or '-' in their names (APP-16);
//   - --only-after-main: a post-stop handler that is to run only if the app itself did (APP-10). PID 1 tells by
//   EXIT_CODE;
//   - AppArmor profiles and SELinux contexts: PID 1 sees neither module, and would not be able to use a context (AAR-1,
//   SEL-1).
// Static, without libraries of ours: it runs where there are none.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/sys/exec_label.hh"

namespace
{

constexpr int exec_failed = 203; // as PID 1 says it

// What PID 1 adds for a post-stop command; the app's environment is exact.
constexpr const char* of_systemd[] = {"EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT"};

struct Label {
    const char* option;
    const char* file; // in /proc
    const char* command;
};

constexpr Label labels[] = {
    {"--apparmor-profile=", rocket::exec_label::apparmor_file, rocket::exec_label::apparmor_command},
    {"--selinux-context=", rocket::exec_label::selinux_file, ""}};

bool label_next_exec(const Label& label, const char* value)
{
    char path[64], text[4096];
    std::snprintf(path, sizeof path, "/proc/%s", label.file);
    const int size = std::snprintf(text, sizeof text, "%s%s", label.command, value);
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file >= 0 && size < static_cast<int>(sizeof text) && ::write(file, text, static_cast<size_t>(size)) == size)
        return true; // the file is closed by exec
    std::fprintf(stderr, "exec-app: %s%s: %s\n", label.option, value, std::strerror(errno));
    return false;
}

int run(int argc, char** argv)
{
    int next = 1;
    if (next < argc && std::strcmp(argv[next], "--only-after-main") == 0) {
        if (std::getenv("EXIT_CODE") == nullptr)
            return 0;
        for (const char* name : of_systemd)
            ::unsetenv(name);
        ++next;
    }
    for (const auto& label : labels) {
        const auto length = std::strlen(label.option);
        if (next >= argc || std::strncmp(argv[next], label.option, length) != 0)
            continue;
        if (!label_next_exec(label, argv[next] + length))
            return exec_failed;
        ++next;
    }
    for (; next < argc && std::strcmp(argv[next], "--") != 0; ++next)
        if (std::strchr(argv[next], '=') == nullptr || ::putenv(argv[next]) != 0) {
            std::fprintf(stderr, "exec-app: \"%s\" is no variable\n", argv[next]);
            return exec_failed;
        }
    if (argc - next < 3) {
        std::fputs("exec-app: nothing to execute\n", stderr);
        return exec_failed;
    }
    ::execv(argv[next + 1], argv + next + 2);
    std::fprintf(stderr, "exec-app: executing \"%s\": %s\n", argv[next + 1], std::strerror(errno));
    return exec_failed;
}

} // namespace

int main(int argc, char** argv)
{
    return run(argc, argv);
}
