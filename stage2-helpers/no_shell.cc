// SPDX-License-Identifier: Apache-2.0
// no-shell MACHINE-ID: says to whoever asked for a shell of a pod, on their terminal, what to ask for instead. What
// runs beside the apps is PID 1 and its journal: there is no shell, and one there would have more rights than any app.
// PID 1 of the pod executes it for `machinectl shell` (units/pod/container-shell@.service.d).
#include <cstdio>
#include <cstring>

int main(int argc, char** argv)
{
    constexpr std::size_t digits = 32;
    if (argc != 2 || std::strlen(argv[1]) != digits) {
        std::fputs("no-shell: there is no machine id\n", stderr);
        return 1;
    }
    const char* const id = argv[1]; // of the pod: its UUID without dashes (machine-id(5))
    std::printf("A pod has no shell of its own. To be in an app, with its rights and no more, say\n"
                "    rocket enter %.8s-%.4s-%.4s-%.4s-%s [COMMAND...]\n",
                id, id + 8, id + 12, id + 16, id + 20);
    return 0; // a unit that has failed would stay, and make the pod "degraded"
}
