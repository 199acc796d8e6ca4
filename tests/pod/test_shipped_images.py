# SPDX-License-Identifier: Apache-2.0
"""Images that came with the host, in the system configuration's directory `images`: no network is needed for them."""
import aci
import pytest

NAME = "example.com/shipped"


@pytest.fixture
def ship(rocket, home, signer):
    """Puts an image where a host brings it along, and its key as well."""
    def shipped(file, name=NAME, version="1", trusted=True):
        path = rocket.system / "images" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        aci.write(path, aci.image(name, aci.app("/bin/echo", "from the host"), aci.busybox(), version=version))
        signer.sign(path)
        if trusted:
            prefix = rocket.system / "trustedkeys/prefix.d" / NAME
            prefix.mkdir(parents=True, exist_ok=True)
            signer.public_key(prefix / signer.fingerprint.lower())
        return path
    return shipped


@pytest.mark.bare
@pytest.mark.parametrize("policy", ["new", "never"])
def test_a_name_is_found_on_the_host(rocket, ship, policy):
    ship(f"{NAME}-1-linux-{aci.ARCH}.aci")
    assert rocket("run", "--net=none", f"--pull-policy={policy}", f"{NAME}:1").stdout == "from the host\n"


def test_without_a_version_it_is_the_latest(rocket, ship):
    ship(f"{NAME}-latest-linux-{aci.ARCH}.aci")
    assert rocket("fetch", "--pull-policy=new", NAME).stdout.startswith("sha512-")


def test_it_is_verified_like_any_other(rocket, ship):
    ship(f"{NAME}-1-linux-{aci.ARCH}.aci", trusted=False)
    assert "trust" in rocket("run", "--net=none", f"{NAME}:1", status=254).stderr


def test_it_has_to_be_what_its_file_says(rocket, ship):
    ship(f"{NAME}-1-linux-{aci.ARCH}.aci", version="2")
    assert rocket("run", "--net=none", f"{NAME}:1", status=254).stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""


def test_labels_do_not_lead_elsewhere(rocket, ship):
    path = ship("elsewhere.aci")
    assert path.exists()
    rocket("run", "--net=none", "--pull-policy=never", f"{NAME},version=x/../../../elsewhere", status=254)
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
