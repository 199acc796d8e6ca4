// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/guarded_places.hh"

#include <doctest/doctest.h>

using namespace rocket::pod;

TEST_CASE("guarded places: what is masked, read-only or a device, and nothing else (proc(5), mountinfo)")
{
    const auto places = guarded_places("290 288 0:65 / / rw,nodev - overlay none rw\n"
                                       "292 290 0:73 / /dev rw,nosuid shared:75 - tmpfs none rw\n"
                                       "294 292 0:63 /zero /dev/zero rw,nosuid shared:77 - tmpfs none rw\n"
                                       "341 292 0:74 / /dev/pts rw shared:82 - devpts none rw\n"
                                       "345 290 0:71 / /proc rw,nosuid - proc none rw\n"
                                       "346 345 0:71 /sys /proc/sys ro,nosuid shared:1 master:2 - proc none rw\n"
                                       "350 345 0:75 / /proc/acpi ro,nosuid shared:91 - tmpfs none rw\n"
                                       "354 345 0:63 /null /proc/keys rw,nosuid shared:95 - devtmpfs none rw\n"
                                       "356 290 0:72 / /sys ro - sysfs none rw\n"
                                       "364 290 0:62 /x /etc/hostname ro - tmpfs none rw\n"
                                       "365 290 0:62 /null /procession rw - tmpfs none rw\n"
                                       "1 2 - short\n\n");
    CHECK(places == std::vector<GuardedPlace>{{"/dev/zero", "device"},
                                              {"/proc/acpi", "masked"},
                                              {"/proc/keys", "masked"},
                                              {"/proc/sys", "read-only"},
                                              {"/sys", "read-only"}});
}
