// SPDX-License-Identifier: Apache-2.0
// `enter` of pods with a systemd in them.
#include "stage1/enter/entry.hh"

int main(int argc, char** argv)
{
    return rocket::stage1::enter_main(argc, argv, rocket::stage1::find_target);
}
