/* Where a serial port's bytes go to and come from. */
#ifndef CHARDEV_H
#define CHARDEV_H

#include <stddef.h>
#include <stdint.h>

typedef struct chardev chardev;

/* receive: bytes arrived from outside, on the chardev's own thread; returns how many were taken.
 * The rest is offered again after chardev_room. */
typedef size_t (*chardev_receive)(void *opaque, const uint8_t *bytes, size_t n);

/* spec: "null", "stdio", "file:PATH" (output only), "pty", "socket:PATH" (a Unix socket that one
 * client at a time may connect to), "memory" (output is kept, input is `input`). NULL on failure
 * with a line in text. */
chardev *chardev_open(const char *spec, const char *input, chardev_receive receive, void *opaque,
                      char *text, size_t size);
void chardev_close(chardev *c); /* stops the thread first */
void chardev_send(chardev *c, uint8_t byte);
void chardev_room(chardev *c);               /* the receiver can take bytes again */
const char *chardev_where(const chardev *c); /* a pty's name, else "" */
/* Output kept by "memory"; NULL for the others. */
const uint8_t *chardev_output(const chardev *c, size_t *n);

#endif
