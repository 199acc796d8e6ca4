// SPDX-License-Identifier: Apache-2.0
// say SOCKET WORD: says it to whoever listens there, and prints the answer.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char** argv)
{
    if (argc != 3 || strlen(argv[1]) >= sizeof ((struct sockaddr_un*)0)->sun_path)
        return 2;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, argv[1]);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) != 0) {
        perror(argv[1]);
        return 1;
    }
    if (write(fd, argv[2], strlen(argv[2])) < 0 || shutdown(fd, SHUT_WR) != 0)
        return 1;
    char answer[256];
    for (ssize_t size; (size = read(fd, answer, sizeof answer)) > 0;)
        fwrite(answer, 1, (size_t)size, stdout);
    puts("");
    return 0;
}
