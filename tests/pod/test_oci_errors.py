# SPDX-License-Identifier: Apache-2.0
"""Every row of the list of negative and edge tests in oci.md chapter 13, in its order, and the tests that show it, down to
the entry of their tables: FILE::FUNCTION, FILE::FUNCTION[ENTRY], FILE::TEST_CASE for unit tests. Where they are kept, with
what they need; that they are all there is checked here."""
import re

import pytest
from conftest import SOURCE

pytestmark = pytest.mark.bare

IMAGES, REGISTRIES, FAULTS = "pod/test_oci_images.py::", "pod/test_registries.py::", "pod/test_registry_faults.py::"
REFUSED, ACCEPTED, WRONG = IMAGES + "test_refused", IMAGES + "test_accepted", FAULTS + "test_what_registries_do_wrong"
LAYERS, CHALLENGES = "unit/stage0/unpack/layer_test.cc::", "unit/stage0/oci/challenge_test.cc::"

ROWS = {
    "digest mismatch of manifest, config, layer": [f"{REFUSED}[digest of the manifest]", f"{REFUSED}[digest of the configuration]", f"{REFUSED}[digest of a layer]",
                                                   f"{WRONG}[other digest of a layer]", f"{WRONG}[other digest of the configuration]"],
    "size too small/large": [f"{REFUSED}[size too small]", f"{REFUSED}[size too large]", f"{WRONG}[too short]", f"{WRONG}[too long without saying so]"],
    "DiffID mismatch": [f"{REFUSED}[diff id]"],
    "layer count mismatch": [f"{REFUSED}[number of layers]"],
    "rootfs.type other": [f"{REFUSED}[type of rootfs]"],
    "schema 1": [f"{REFUSED}[schema 1]", f"{WRONG}[schema 1 by type]"],
    "index inside index": [f"{ACCEPTED}[index in an index]", f"{REFUSED}[too many indexes]"],
    "no matching platform": [f"{REFUSED}[no matching platform]", IMAGES + "test_platforms_that_are_not_there_or_cannot_be_chosen"],
    "attestation entries": [f"{REFUSED}[attestations only]"],
    "unknown config type": [f"{REFUSED}[unknown type of configuration]"],
    "ambiguous document": [f"{REFUSED}[ambiguous document]", "unit/stage0/oci/select_test.cc::documents: ambiguous ones and old ones are refused"],
    "zstd layer": [IMAGES + "test_compressions_of_layers[zst]"],
    "foreign layer via urls": [FAULTS + "test_foreign_layers_come_from_their_urls"],
    "truncated gzip": [f"{REFUSED}[truncated gzip]"],
    ".. and absolute names": [f"{REFUSED}[dot dot]", f"{ACCEPTED}[absolute name]"],
    "symlink parent escape": [f"{REFUSED}[parent is a symbolic link]", f"{REFUSED}[parent is a symbolic link below]"],
    "hard link to lower layer, to missing, to outside": [IMAGES + "test_layers_are_stacked", LAYERS + "layers: hard links into lower layers, also by way of another one",
                                                         f"{REFUSED}[hard link to nothing]", f"{REFUSED}[hard link out]", f"{REFUSED}[hard link to what is taken away]"],
    "OLYR table": [IMAGES + "test_layers_are_stacked", LAYERS + "layers: white-outs and opaque directories count wherever they stand in the tar",
                   f"{ACCEPTED}[aufs]", f"{ACCEPTED}[twice]", f"{REFUSED}[white-out of nothing]"],
    "401 with Bearer, Basic, two challenges, quoted comma, missing scope": [
        FAULTS + "test_one_token_for_a_whole_image", FAULTS + "test_a_password_when_the_registry_wants_one", FAULTS + "test_bearer_comes_before_basic",
        CHALLENGES + "challenges: schemes, quoted commas and escapes", FAULTS + "test_anonymous_tokens_and_a_scope_that_is_missing"],
    "expired token mid-pull": [FAULTS + "test_a_token_that_expires_on_the_way"],
    "redirect to another host without Authorization": [FAULTS + "test_blobs_on_another_host_are_fetched_without_credentials"],
    "429 with Retry-After": [FAULTS + "test_a_registry_in_trouble_is_asked_again", FAULTS + "test_but_not_forever"],
    "Range resume with 206 and 200": [FAULTS + "test_a_layer_that_is_cut_is_gone_on_with", FAULTS + "test_a_server_without_ranges_starts_over"],
    "User in all seven forms, numeric name clash, unknown": [IMAGES + "test_user_in_all_its_forms",
                                                             "unit/stage0/oci/select_test.cc::users: digits are numbers even if passwd has such a name"],
    "Volumes seeding": [IMAGES + "test_a_volume_of_the_image_has_what_the_image_has_there", IMAGES + "test_a_volume_of_the_image_is_filled_once"],
    "missing WorkingDir": [IMAGES + "test_an_image_runs_with_all_its_configuration_says", IMAGES + "test_entrypoint_and_command"],
    "Cmd only, Entrypoint only, none": [IMAGES + "test_entrypoint_and_command"],
    "layout with two refs, with none": [f"{REFUSED}[several images]", f"{REFUSED}[no image]"],
    "docker save with two images, symlinked layers, null RepoTags": [IMAGES + "test_docker_archives_with_several_images"],
    "same image fetched twice gives the same appc ID": [IMAGES + "test_the_same_image_always_has_the_same_id", "pod/test_group_layers.py::test_the_same_id_for_whoever_fetches"],
}


@pytest.mark.parametrize("row", ROWS)
def test_there_is_a_test(row):
    assert ROWS[row]
    for test in ROWS[row]:
        file, name = test.split("::", 1)
        name, _, entry = name.rstrip("]").partition("[")
        text = (SOURCE / "tests" / file).read_text()
        found = re.search(rf'TEST_CASE\(\s*"{re.escape(name)}' if file.endswith(".cc") else rf"^def {name}\(", text, re.M)
        assert found and (not entry or f'"{entry}"' in text), test
