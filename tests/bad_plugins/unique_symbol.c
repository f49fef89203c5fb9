/* Has a unique symbol, as g++ makes them for template statics. */
#include "fixture.h"

__asm__(
    ".data\n"
    ".globl fixture_unique\n"
    ".type fixture_unique, @gnu_unique_object\n"
    ".size fixture_unique, 4\n"
    "fixture_unique: .long 0\n"
    ".text\n");
