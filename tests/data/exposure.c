// SPDX-License-Identifier: Apache-2.0
// What of the machine a container shows to the process that runs this, a line each: "status NAME VALUE",
// "mount PLACE TYPE OPTIONS", "device PATH MAJOR:MINOR", and for /proc and /sys "read PATH" and "write PATH" if it can be
// opened so. Nothing is read or written: opening has no effect. Static, for the images have no libraries.
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void try_to_open(const char* path, int flags, const char* how)
{
    struct stat info;
    const int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) // not what covers it
        printf("%s %s\n", how, path);
    close(fd);
}

static int look_at(const char* path, const struct stat* info, int type, struct FTW* place)
{
    (void)place;
    if (strncmp(path, "/proc/", 6) == 0 && (path[6] >= '0' && path[6] <= '9'))
        return FTW_SKIP_SUBTREE;
    if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode)) {
        if (strncmp(path, "/dev/", 5) == 0)
            printf("device %s %u:%u\n", path, major(info->st_rdev), minor(info->st_rdev));
    } else if (type == FTW_F && S_ISREG(info->st_mode) && strncmp(path, "/dev/", 5) != 0) {
        try_to_open(path, O_RDONLY, "read");
        if ((info->st_mode & 0222) != 0) // root may open the others, too, but there is nothing to be written
            try_to_open(path, O_WRONLY, "write");
    }
    return FTW_CONTINUE;
}

static void status(void)
{
    char line[4096], name[64], value[128];
    FILE* const file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%63[^:]: %127s", name, value) == 2 &&
            (strncmp(name, "Cap", 3) == 0 || strcmp(name, "NoNewPrivs") == 0 || strcmp(name, "Seccomp") == 0))
            printf("status %s %s\n", name, value);
}

static void mounts(void)
{
    char line[16384];
    FILE* const file = fopen("/proc/self/mountinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char place[4096], options[4096], type[256];
        const char* const rest = strstr(line, " - ");
        if (rest != NULL && sscanf(line, "%*d %*d %*s %*s %4095s %4095s", place, options) == 2 &&
            sscanf(rest + 3, "%255s", type) == 1)
            printf("mount %s %s %s\n", place, type, options);
    }
}

int main(void)
{
    const char* const places[] = {"/proc", "/sys", "/dev"};
    status();
    mounts();
    for (size_t index = 0; index < sizeof places / sizeof *places; ++index)
        nftw(places[index], look_at, 64, FTW_PHYS | FTW_ACTIONRETVAL);
    return 0;
}
