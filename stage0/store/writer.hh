// SPDX-License-Identifier: Apache-2.0
// Whom root believes. Members of the group rocket fetch without root: they make images in DATA/cas/image and take any
// away, and may write whatever they like there. So of an image root believes only what root has written: a directory of
// root's, in which nobody else can write. An image of somebody else's is to root nothing but an archive and a
// signature, which root takes in anew before its first use, as if from a file (Session::take_over in stage0/image): the
// archive has to have the image's id, the signature has to be good by the keys that root trusts. One made of layers is
// its documents, layers and signatures, each under its digest (pending.hh), and taken in as if from a registry.
// Everything else that decides what root runs lies where only root writes: trees, layers, the index, what is remembered
// of URLs, partial downloads.
//
// Members believe each other: nothing in the store gives them more than they have.
#pragma once

#include <optional>
#include <string>

namespace rocket::store
{

// The caller is root, and somebody else could have written what is in the directory: who, in words.
std::optional<std::string> other_writer(int dir);

} // namespace rocket::store
