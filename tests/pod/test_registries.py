# SPDX-License-Identifier: Apache-2.0
"""docker:// images from a real registry (oci.md chapters 1 to 3)."""
import base64
import json
import time

import aci
import oci
import pytest
import registry as registries


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    served = registries.Registry(tmp_path_factory.mktemp("registry"))
    yield served
    served.close()


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    served = registries.Registry(tmp_path_factory.mktemp("private"), login=True)
    yield served
    served.close()


@pytest.fixture
def layout(home):
    return oci.Layout(home / "layout")


@pytest.fixture
def fetch(rocket):
    def run(server, reference, *flags, options="image", env=(), **more):
        return rocket(f"--insecure-options={options}", "fetch", "--full", *flags, reference, timeout=60,
                      env={**server.environment, **dict(env)}, **more)
    return run


def configure_login(rocket, host, user=registries.USER, password=registries.PASSWORD):
    (rocket.local / "auth.d").mkdir(parents=True)
    (rocket.local / "auth.d/registry.json").write_text(json.dumps(
        {"rktKind": "dockerAuth", "rktVersion": "v1", "registries": [host], "credentials": {"user": user, "password": password}}))


def test_an_image_is_fetched_by_tag_and_runs(rocket, server, layout, fetch):
    layout.image(oci.busybox(), Cmd=["/bin/echo", "hello"], name="v1")
    reference = server.push(f"{layout}:v1", "team/hello:v1")
    image = fetch(server, reference).stdout.strip()
    assert rocket.run(image).stdout == "hello\n"
    name = json.loads(rocket("image", "list", "--format=json").stdout)[0]["name"]
    assert name == f"{server.host.replace(':', '_')}/team/hello:v1"
    before = len(server.requests("team/hello"))
    assert fetch(server, reference, "--pull-policy=new").stdout.strip() == image
    assert rocket.run(reference).stdout == "hello\n"
    assert len(server.requests("team/hello")) == before
    assert json.loads(rocket("image", "cat-manifest", reference).stdout)["name"] == name.split(":")[0]
    assert image[:40] in rocket("image", "rm", reference).stdout


def test_by_digest(server, layout, fetch):
    manifest = layout.image(oci.busybox(), name="v1")
    reference = server.push(f"{layout}:v1", "digest:v1").removesuffix(":v1")
    assert fetch(server, f"{reference}@{manifest['digest']}").stdout.startswith("sha512-")
    assert "MANIFEST_UNKNOWN" in fetch(server, f"{reference}@sha256:{64 * '0'}", status=254).stderr


def test_a_second_image_costs_only_what_is_new(server, layout, fetch):
    base = layout.layer(oci.busybox())
    layout.image(base, [aci.file("one", "1")], name="one")
    layout.image(base, [aci.file("two", "2")], name="two")
    references = [server.push(f"{layout}:{name}", f"shared:{name}") for name in ("one", "two")]
    fetch(server, references[0])
    assert len(server.requests("shared/blobs/" + base[0]["digest"])) == 1
    fetch(server, references[1])
    assert len(server.requests("shared/blobs/" + base[0]["digest"])) == 1


def test_one_line_per_image_in_a_pipe(server, layout, fetch):
    """However many layers it has; nothing with --quiet (cli 1.3)."""
    references = []
    for name in ("one", "two"):
        layout.image(*[layout.layer([aci.file(f"{name}-{n}", 40000 * f"{name}{n}")], None) for n in range(9)], name=name)
        references.append(server.push(f"{layout}:{name}", f"lines:{name}"))
    lines = [line for line in fetch(server, references[0], references[1]).stderr.splitlines() if "downloaded" in line]
    assert [line.split(": ")[1] for line in lines] == ["downloaded layers"] * 2, lines


def test_what_is_not_there(server, fetch):
    error = fetch(server, f"docker://{server.host}/no/such:image", status=254).stderr
    assert "404" in error and "MANIFEST_UNKNOWN" in error


def test_certificates_count_unless_told_otherwise(rocket, server, layout, fetch):
    layout.image(oci.busybox(), name="v1")
    reference = server.push(f"{layout}:v1", "tls:v1")
    failed = rocket("--insecure-options=image", "fetch", reference, status=254, timeout=60)
    assert "certificate" in failed.stderr
    rocket("--insecure-options=image,tls", "fetch", reference, timeout=60)


def test_plain_http_only_by_option(tmp_path_factory, layout, fetch):
    plain = registries.Registry(tmp_path_factory.mktemp("plain"), tls=False)
    try:
        layout.image(oci.busybox(), name="v1")
        reference = plain.push(f"{layout}:v1", "box:v1")
        error = fetch(plain, reference, status=254).stderr
        assert "does not speak TLS" in error and "--insecure-options=http" in error
        assert fetch(plain, reference, options="image,http").stdout.startswith("sha512-")
    finally:
        plain.close()


def test_a_login_is_needed_and_taken_from_configuration(rocket, private, layout, fetch):
    layout.image(oci.busybox(), name="v1")
    reference = private.push(f"{layout}:v1", "secret:v1")
    assert "401" in fetch(private, reference, status=254).stderr
    configure_login(rocket, private.host, password="wrong")
    assert "401" in fetch(private, reference, status=254).stderr
    (rocket.local / "auth.d/registry.json").unlink()
    (rocket.local / "auth.d").rmdir()
    configure_login(rocket, private.host)
    done = fetch(private, reference)
    assert done.stdout.startswith("sha512-") and registries.PASSWORD not in done.stderr


@pytest.mark.parametrize("path", [".docker/config.json", ".config/containers/auth.json"])
def test_logins_of_docker_and_podman_are_used(rocket, private, layout, fetch, path):
    layout.image(oci.busybox(), name="v1")
    reference = private.push(f"{layout}:v1", "secret:v1")
    auth = base64.b64encode(f"{registries.USER}:{registries.PASSWORD}".encode()).decode()
    (rocket.home / path).parent.mkdir(parents=True)
    (rocket.home / path).write_text(json.dumps({"auths": {private.host: {"auth": auth}}}))
    assert fetch(private, reference).stdout.startswith("sha512-")


def test_unsigned_images_take_an_option(rocket, server):
    error = rocket("fetch", f"docker://{server.host}/x", status=254).stderr
    assert "try --insecure-options=image" in error


@pytest.mark.parametrize("reference", ["docker://a..b", "docker://user/App", "docker://-a", "docker://a:", "docker://a@sha256:12",
                                       "docker://" + 64 * "a", "docker://"])
def test_bad_references(rocket, reference):
    assert "invalid docker reference" in rocket("--insecure-options=image", "fetch", reference, status=254).stderr


def test_killed_at_any_time_it_is_whole_or_not_there(rocket, server, layout, fetch):
    layout.image(oci.busybox(), *[[aci.file(f"f{n}", bytes(range(256)) * 2000)] for n in range(4)], name="v1")
    reference = server.push(f"{layout}:v1", "killed:v1")
    for milliseconds in range(0, 240, 30):
        process = rocket.start("--insecure-options=image", "fetch", reference, env={**rocket.environment, **server.environment})
        time.sleep(milliseconds / 1000)  # where it is hit is what varies
        process.kill()
        process.communicate()
    image = fetch(server, reference).stdout.strip()
    assert "successfully verified" in rocket("image", "verify", image).stdout
    assert len(list((rocket.data / "cas/layer").iterdir())) == 5 and not list((rocket.data / "cas/tmp").iterdir())
