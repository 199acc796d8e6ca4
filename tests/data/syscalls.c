/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of each system call, with all arguments -1: a line "NUMBER errno N", "NUMBER ok" or "NUMBER signal N". */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void try_call(long number)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(1);
        errno = 0;
        _exit(syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 ? errno : 0);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%ld signal %d\n", number, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        printf("%ld errno %d\n", number, WEXITSTATUS(status));
    else
        printf("%ld ok\n", number);
}

int main(void)
{
    for (long number = 0; number < 480; ++number)
        if (number != SYS_clone && number != SYS_exit && number != SYS_exit_group
#ifdef SYS_vfork
            && number != SYS_vfork && number != SYS_fork && number != SYS_pause
#endif
        )
            try_call(number);
    return 0;
}
