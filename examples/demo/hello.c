/* The smallest program that shows something: two system calls, write and exit_group, and the arguments it was given. */
#include "tiny.h"

int main(int argc, char **argv)
{
    print("Hello from arm64.");
    for (int i = 1; i < argc; i++) {
        print(i == 1 ? " Arguments: " : " ");
        print(argv[i]);
    }
    print("\n");
    return 0;
}
