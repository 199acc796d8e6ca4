# SPDX-License-Identifier: Apache-2.0
"""Names to images by appc meta discovery (appc chapter 15 and its rows of chapter 21, cli 4.8), keys too: nginx over TLS
serves hosts by their names, which are in an /etc/hosts of the test's own."""
import contextlib

import aci
import pytest
import servers

ADDRESS = "127.0.0.80"
HOSTS = ["images.test", "storage.test", "elsewhere.test"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("ca"), *HOSTS)


@pytest.fixture
def web(authority, tmp_path):
    """nginx; web.page(HOST/PATH, TAGS...) writes a discovery page, web.put(HOST/PATH, BYTES) a file."""
    tmp_path = tmp_path / "web"
    tmp_path.mkdir()
    with contextlib.closing(servers.Nginx(tmp_path, authority, ADDRESS, *HOSTS)) as one:
        def put(where, content):
            path = tmp_path / where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        one.put = put
        one.page = lambda where, *tags: put(where + "/index.html", page(*tags).encode())
        yield one


def page(*tags):
    return "<!DOCTYPE html><html><head>" + "".join(tags) + "</head><body>hello</body></html>"


def meta(content, name="ac-discovery"):
    return f'<meta name="{name}" content="{content}">'


@pytest.fixture
def rocket(rocket, authority, home):
    """The program sees an /etc/hosts with our names, in a mount namespace of its own."""
    hosts = home / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ADDRESS} {name}\n" for name in HOSTS))
    command = rocket.command
    rocket.command = lambda *arguments: ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c",
                                         'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts), *command(*arguments)]
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)
    return rocket


@pytest.fixture
def image(home):
    """image(NAME, VERSION, LABELS...): the bytes of one."""
    def make(name="images.test/app/web", version="1.0", **labels):
        wanted = {"version": version, "os": "linux", "arch": aci.ARCH, **labels}
        members = aci.image(name, aci.app("/x"), [aci.file("rootfs/x", name + version)],
                            labels=[{"name": label, "value": value} for label, value in wanted.items()])
        return aci.write(home / "made.aci", members).read_bytes()
    return make


@pytest.fixture
def signed(home, signer):
    def make(content):
        path = home / "signed.aci"
        path.write_bytes(content)
        return signer.sign(path).read_bytes()
    return make


def fetch(rocket, name, *flags, insecure="image", **options):
    return rocket(f"--insecure-options={insecure}", *flags, "fetch", name, **options)


def refused(rocket, name, *words, **options):
    done = fetch(rocket, name, status=254, timeout=60, **options)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
    return done


def paths(web):
    return [line.split()[3].split("?")[0] for line in web.requests()]


def test_a_name_leads_to_an_image_a_signature_and_a_pod(rocket, web, image, signed, signer, home):
    """The whole way: page, key, signature, image; then a pod from the store."""
    web.page("images.test/app", meta("images.test/app https://storage.test/{name}-{version}-{os}-{arch}.{ext}"),
             meta("images.test/app https://storage.test/keys.asc", "ac-discovery-pubkeys"))
    web.put("storage.test/keys.asc", signer.public_key(home / "key").read_bytes())
    where = f"storage.test/images.test/app/web-1.0-linux-{aci.ARCH}.aci"
    content = image()
    web.put(where, content)
    refused(rocket, "images.test/app/web:1.0", "unable to ask user", f"web-1.0-linux-{aci.ARCH}.aci.asc", "404",
            insecure="none")
    web.put(where + ".asc", signed(content))
    done = fetch(rocket, f"images.test/app/web:1.0,arch={aci.ARCH}", "--trust-keys-from-https", insecure="none")
    assert 'Trusting "https://storage.test/keys.asc" for prefix "images.test/app/web" without fingerprint review' in done.stderr
    assert "signature verified" in done.stderr and done.stdout.startswith("sha512-")
    before = len(web.requests())
    rocket("image", "cat-manifest", "images.test/app/web:1.0")
    fetch(rocket, "images.test/app/web:1.0", "--pull-policy=new", insecure="none")
    assert len(web.requests()) == before, "what is in the store need not be discovered"
    done = fetch(rocket, "images.test/app/web:1.0", "--debug", insecure="none")
    assert "keys already exist for prefix" in done.stderr
    assert web.requests()[-1].split()[4] == "304"


def test_run_by_name(rocket, web, images):
    archive = aci.write(images / "named.aci", aci.image("images.test/busybox", aci.app("/bin/echo", "hello"), aci.busybox()))
    web.page("images.test", meta("images.test https://images.test/x/{name}-{version}.{ext}"))
    web.put("images.test/x/images.test/busybox-latest.aci", archive.read_bytes())
    done = rocket("--insecure-options=image", "run", "--net=none", "images.test/busybox", timeout=60)
    assert "hello" in done.stdout
    assert rocket("--insecure-options=image", "prepare", "--quiet", "images.test/busybox").stderr == ""
    assert paths(web) == ["/busybox", "/", "/x/images.test/busybox-latest.aci"]


def test_a_dependency_that_is_larger_than_it_may_be_is_not_downloaded(rocket, web, image, make):
    """DEP-9: the transfer stops as soon as it is exceeded, whatever would come."""
    content = image("images.test/base", "1.0")
    web.page("images.test/base", meta("images.test https://storage.test/{name}-{version}.{ext}"))
    web.put("storage.test/images.test/base-1.0.aci", content)
    dependency = {"imageName": "images.test/base", "labels": [{"name": "version", "value": "1.0"}]}
    bad = make("images.test/top", aci.app("/x"), dependencies=[{**dependency, "size": len(content) - 1}])
    error = fetch(rocket, bad, status=254).stderr
    assert f"it has {len(content)} bytes, which is more than {len(content) - 1}" in error
    fetch(rocket, make("images.test/top", aci.app("/x"), dependencies=[{**dependency, "size": len(content)}]))


def test_the_walk_goes_up_to_the_host(rocket, web, image):
    web.page("images.test", meta("images.test https://storage.test/a.{ext}"))
    web.page("images.test/app", meta("other.test https://storage.test/b.{ext}")) # for others
    web.put("storage.test/a.aci", image())
    fetch(rocket, "images.test/app/web")
    assert [line.split()[1:4:2] for line in web.requests() if "discovery=1" in line] == [
        ["images.test", "/app/web?ac-discovery=1"], ["images.test", "/app?ac-discovery=1"],
        ["images.test", "/app/?ac-discovery=1"], ["images.test", "/?ac-discovery=1"]] # nginx redirects to the slash


def test_endpoints_are_tried_in_order(rocket, web, image):
    """Q51, DISC-26, DISC-29: one that has not got it leads to the next; one that has something else does not."""
    web.page("images.test/app", meta("images.test ftp://storage.test/{name}.{ext}"),
             meta("images.test https://storage.test/first.{ext}"), meta("images.test https://storage.test/second.{ext}"))
    web.put("storage.test/second.aci", image())
    done = fetch(rocket, "images.test/app/web")
    assert "first.aci: bad HTTP status code: 404; trying the next place" in done.stderr
    web.put("storage.test/first.aci", image("images.test/other"))
    before = len(web.requests())
    assert 'but "images.test/other" found' in fetch(rocket, "images.test/app/web", status=254).stderr
    assert not [line for line in web.requests()[before:] if "second" in line]


@pytest.mark.parametrize("tags", [
    '<META CONTENT="images.test https://storage.test/a.{ext}" NAME=ac-discovery>',
    "<meta name='ac-discovery' content='images.test&#32;https://storage.test/a.&#123;ext}'/>",
    "<meta name=ac-discovery content='\n images.test \t https://storage.test/a.{ext} '>",
    meta("images.test https://storage.test/{none}.{ext}") + meta("images.test https://storage.test/a.{ext}"),
    meta("images.test https://storage.test/a") + meta("images.test https://storage.test/a.{ext}"),
    pytest.param("<table><div>" * 2000 + meta("images.test https://storage.test/a.{ext}"), id="deep"),
])
def test_tags_that_count(rocket, web, image, tags):
    web.page("images.test", tags)
    web.put("storage.test/a.aci", image())
    fetch(rocket, "images.test/app/web")


GOOD = meta("images.test https://storage.test/a.{ext}")


@pytest.mark.parametrize("tags", [
    "", "<!-- " + GOOD + " -->", "<script>" + GOOD + "</script>", "<title>" + GOOD + "</title>",
    "<noscript>" + GOOD + "</noscript>", "<textarea>" + GOOD + "</textarea>", "<style>" + GOOD + "</style>",
    GOOD.replace("name=", "property="), GOOD.replace("ac-discovery", "AC-Discovery"), GOOD.replace("ac-", "ac-x-"),
    meta("images.test"), meta("https://storage.test/a.{ext}"), meta("images.test https://storage.test/a .{ext}"),
    meta("images.test https://storage.test/{NAME}.{ext}"), meta("images.test https://storage.test/{+name}.{ext}"),
    meta("images.test/other https://storage.test/a.{ext}"), meta("images.test http://storage.test/a.{ext}"),
    meta("images.test file:///etc/passwd.{ext}"), meta("images.test https://storage.test/{}.{ext}"),
    meta("images.test https://storage.test/a.aci"),
])
def test_tags_that_do_not_count(rocket, web, image, tags):
    """DISC-16..25: and the error names every page that was looked at."""
    web.page("images.test", tags)
    web.put("storage.test/a.aci", image())
    refused(rocket, "images.test/app/web", "no endpoints discovered", "https://images.test/app/web?ac-discovery=1: bad HTTP "
            "status code: 404", "https://images.test?ac-discovery=1: meta tag 'ac-discovery' not found")
    assert "/a.aci" not in paths(web)


def test_http_only_hosts_need_permission(rocket, web, image, authority):
    """DISC-10: https first; http only if it is allowed, and tls is another matter."""
    web.page("images.test", meta("images.test http://storage.test/a.{ext}"))
    web.put("storage.test/a.aci", image())
    del rocket.environment["SSL_CERT_FILE"] # so that https fails
    refused(rocket, "images.test/app/web", "certificate")
    refused(rocket, "images.test/app/web", "no endpoints", insecure="image,tls")
    assert not [line for line in web.requests() if line.startswith("http ")]
    fetch(rocket, "images.test/app/web", insecure="image,http")
    assert [line.split()[0] for line in web.requests()][-1] == "http"


@pytest.mark.parametrize("wanted, why", [
    ("images.test/app/web,channel=beta", 'requested label "channel" not provided'),
    ("images.test/app/web:2.0", 'requested value for label "version": "2.0" differs from fetched aci label value: "1.0"'),
    ("images.test/app/other", 'but "images.test/app/web" found'),
])
def test_another_image_than_was_asked_for(rocket, web, image, wanted, why):
    """DISC-31."""
    web.page("images.test", GOOD)
    web.put("storage.test/a.aci", image())
    refused(rocket, wanted, why)


def test_labels_go_into_the_template(rocket, web, image):
    web.page("images.test", meta("images.test https://storage.test/{channel}/{name}_{version}.{ext}"))
    web.put("storage.test/stable/images.test/app/web_latest.aci",
            image(version="1.0", channel="stable"))
    refused(rocket, "images.test/app/web", "no endpoints discovered") # without the label a variable is left (DISC-25)
    fetch(rocket, "images.test/app/web,channel=stable")


@pytest.mark.parametrize("name", ["not an app name", "EXAMPLE.com/app", ",a=b", "images.test/app,", "images.test/app:1,",
                                  "images.test/app=1", "images.test/app,channel=beta:1.2.3", "images.test/app:3,channel=b:1",
                                  "images.test/app:1,version=1", "images.test/app,c=a,c=b", "images.test/app,X=1",
                                  "images.test/app,name=x"])
def test_no_names(rocket, name):
    """DISC-2."""
    refused(rocket, name, "")


def test_distribution_points(rocket, web, image):
    """cli 4.3."""
    web.page("images.test", meta("images.test https://storage.test/{name}-{version}.{ext}"))
    web.put("storage.test/images.test/app/web-1.0", image())
    web.put("storage.test/images.test/app/web-1.0.aci", image())
    first = fetch(rocket, "cimd:appc:v=0:images.test/app/web?version=1.0").stdout
    assert fetch(rocket, "cimd:aci-archive:v=0:https%3A%2F%2Fstorage.test%2Fimages.test%2Fapp%2Fweb-1.0").stdout == first
    for point, why in [("cimd:appc:images.test", "malformed distribution uri"), ("cimd:other:v=0:x", "unknown distribution type"),
                       ("cimd:appc:v=1:images.test", "malformed"), ("cimd:aci-archive:v=0:%zz", "malformed"),
                       ("cimd:appc:v=0:images.test?version", "malformed")]:
        assert why in fetch(rocket, point, status=254).stderr


# --- keys

def test_trust_discovers_keys(rocket, web, signer, home):
    web.page("images.test", meta("images.test https://storage.test/keys.asc", "ac-discovery-pubkeys"))
    done = rocket("trust", "--prefix=images.test/app", "--skip-fingerprint-review", status=254)
    assert "https://storage.test/keys.asc: bad HTTP status code: 404" in done.stderr
    web.put("storage.test/keys.asc", signer.public_key(home / "key").read_bytes())
    done = rocket("trust", "--prefix=images.test/app", status=254)
    assert "lack of tty" in done.stderr
    done = rocket("trust", "--prefix=images.test/app", "--skip-fingerprint-review")
    key = rocket.local / "trustedkeys/prefix.d/images.test/app" / signer.fingerprint.lower()
    assert f'Added key for prefix "images.test/app" at "{key}"' in done.stdout and key.exists()
    done = rocket("trust", "--prefix=elsewhere.test", status=254)
    assert "error determining key location" in done.stderr and "no keys discovered" in done.stderr


def test_trust_keys_at_urls(rocket, web, signer, home):
    web.put("storage.test/keys.asc", signer.public_key(home / "key").read_bytes())
    web.put("storage.test/nonsense.asc", b"hello\n")
    web.put("storage.test/large.asc", b"x" * 300000)
    for url, why in [("http://storage.test/keys.asc", "--insecure-allow-http required"), ("ftp://storage.test/x", "only local"),
                     ("https://storage.test/nonsense.asc", "armour"), ("https://storage.test/large.asc", "more than 262144")]:
        done = rocket("trust", "--root", "--skip-fingerprint-review", url, status=254)
        assert why in done.stderr, done.stderr
    assert not (rocket.local / "trustedkeys").exists()
    done = rocket("--trust-keys-from-https", "trust", "--root", "--insecure-allow-http", "http://storage.test/keys.asc", status=254)
    assert "lack of tty" in done.stderr, "http is not https (Q54)"
    assert "Added root key" in rocket("--trust-keys-from-https", "trust", "--root", "https://storage.test/keys.asc").stdout


def test_keys_are_not_discovered_over_weak_connections(rocket, web, image, signed, signer, home):
    """tls without pubkey: no key is looked for; with it, it is."""
    content = image()
    web.page("images.test", GOOD, meta("images.test https://storage.test/keys.asc", "ac-discovery-pubkeys"))
    web.put("storage.test/keys.asc", signer.public_key(home / "key").read_bytes())
    web.put("storage.test/a.aci", content)
    web.put("storage.test/a.aci.asc", signed(content))
    del rocket.environment["SSL_CERT_FILE"]
    done = refused(rocket, "images.test/app/web", "no key is trusted", "TLS verification has been disabled", insecure="tls")
    assert "keys.asc" not in " ".join(web.requests()) and "error determining" not in done.stderr
    fetch(rocket, "images.test/app/web", "--trust-keys-from-https", insecure="tls,pubkey")


def test_another_hosts_key_is_no_key(rocket, web, image, signed, signer, home):
    """SIG-6, Q54: trusted for images.test/ap, which is no prefix of images.test/app."""
    content = image()
    web.page("images.test", GOOD)
    web.put("storage.test/a.aci", content)
    web.put("storage.test/a.aci.asc", signed(content))
    rocket("trust", "--skip-fingerprint-review", "--prefix=images.test/ap", signer.public_key(home / "key"))
    refused(rocket, "images.test/app/web", "no key is trusted", insecure="none")
    rocket("trust", "--skip-fingerprint-review", "--prefix=images.test/app", signer.public_key(home / "key"))
    fetch(rocket, "images.test/app/web", insecure="none")
    web.put("storage.test/a.aci", image(version="1.1"))
    assert paths(web).count("/a.aci") == 1, "without a key that is trusted there is no point in the image"
    assert "BAD signature" in fetch(rocket, "images.test/app/web", status=254, insecure="none").stderr
