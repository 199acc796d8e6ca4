// SPDX-License-Identifier: Apache-2.0
// exec-app [--only-after-main] [NAME=VALUE]... -- PATH ARGV0 [ARG]...
// Executes PATH with these variables added to its environment. PID 1 of the pod executes it, in the app's root and
// with all of the app's confinement in force, for what no unit property can say:
//   - variables that appc allows and systemd does not: with '.' or '-' in their names (APP-16);
//   - --only-after-main: a post-stop handler that is to run only if the app itself did (APP-10). PID 1 tells by
//   EXIT_CODE.
// Static, without libraries of ours: it runs where there are none.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace
{

constexpr int exec_failed = 203; // as PID 1 says it

// What PID 1 adds for a post-stop command; the app's environment is exact.
constexpr const char* of_systemd[] = {"EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT"};

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
