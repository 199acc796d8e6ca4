// SPDX-License-Identifier: Apache-2.0
// no-shell MACHINE-ID: says to whoever asked for a shell of a pod, on their terminal, what to ask for instead. What
// runs beside the apps is PID 1 and its journal: there is no shell, and one there would have more rights than any app.
// PID 1 of the pod executes it for `machinectl shell` (units/pod/container-shell@.service.d).
#include <cstdio>

int main(int argc, char** argv)
{
    constexpr const char* usage = "no-shell: there is no machine id\n";
    unsigned time_low = 0, time_mid = 0, version = 0, variant = 0;
    unsigned long long node = 0; // of a UUID, which is the pod's (machine-id(5))
    if (argc != 2 || std::sscanf(argv[1], "%8x%4x%4x%4x%12llx", &time_low, &time_mid, &version, &variant, &node) != 5) {
        std::fputs(usage, stderr);
        return 1;
    }
    std::printf("A pod has no shell of its own. To be in an app, with its rights and no more, say\n"
                "    rocket enter %08x-%04x-%04x-%04x-%012llx [COMMAND...]\n",
                time_low, time_mid, version, variant, node);
    return 0; // a unit that has failed would stay, and make the pod "degraded"
}
