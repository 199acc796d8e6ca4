# SPDX-License-Identifier: Apache-2.0
"""The API service (cli 10.2), with the units as they are installed, asked by a gRPC client in another language."""
import importlib
import json
import os
import queue
import subprocess
import sys
import threading

import aci
import pytest
import services
from conftest import HOST_IS_SYSTEMD, SOURCE, wait_for

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs units: runs in tier pod")

# The virtual machine runs other tests of this folder, and its guest has no gRPC for Python.
grpc = pytest.importorskip("grpc") if os.environ.get("ROCKET_TIER") == "vm" else importlib.import_module("grpc")

SOCKET = "unix:///run/rocket/api.sock"


@pytest.fixture(scope="session")
def api(images):
    """The messages and the stub, as any client makes them of the .proto file."""
    plugin = "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin"
    subprocess.run(["protoc", f"-I{SOURCE / 'stage0/api'}", f"--python_out={images}", f"--grpc_out={images}", plugin, "v1alpha.proto"], check=True)
    sys.path.insert(0, str(images))
    messages, stubs = importlib.import_module("v1alpha_pb2"), importlib.import_module("v1alpha_pb2_grpc")
    messages.Stub = stubs.PublicAPIStub
    return messages


@pytest.fixture
def service(rocket):
    services.share_with_group(rocket)
    running = services.Service(rocket, "rocket-api", ["--insecure-options=image", "api-service", "--exit-idle-time=1s"])
    yield running
    running.close()


@pytest.fixture
def image(make):
    return make("example.com/tools/web", aci.app("/bin/sleep", "1000"), aci.busybox(("sh", "sleep", "echo")),
                annotations=[{"name": "tier", "value": "front"}])


class Events:
    """What the service says has happened, in the order it says so."""

    def __init__(self, api, stub, **conditions):
        self.api, self.seen, self.queue = api, [], queue.Queue()
        self.call = stub.ListenEvents(api.ListenEventsRequest(filter=api.EventFilter(**conditions)))
        self.call.initial_metadata()  # from here on nothing is missed
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for response in self.call:
                for event in response.events:
                    self.queue.put(event)
        except grpc.RpcError as error:
            self.queue.put(error)

    def expect(self, kind, about, name=""):
        wanted = (getattr(self.api, f"EVENT_TYPE_{kind}"), about, name)
        while wanted not in self.seen:
            event = self.queue.get(timeout=20)
            assert not isinstance(event, grpc.RpcError), event
            self.seen.append((event.type, event.id, getattr(event, "from")))
        return self.seen.index(wanted)


def failure(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code()


def test_pods_images_events_and_logs(rocket, api, service, image):
    channel = grpc.insecure_channel(SOCKET)
    stub = api.Stub(channel)

    info = stub.GetInfo(api.GetInfoRequest(), timeout=20).info
    assert (info.rkt_version, info.api_version, info.global_flags.dir) == ("1.30.0", "1.0.0-alpha", str(rocket.data))
    assert (info.global_flags.insecure_flags, info.global_flags.trust_keys_from_https) == ("image", False)

    # A life, as it is told (ListenEvents).
    events = Events(api, stub)
    only_exits = Events(api, stub, types=[api.EVENT_TYPE_APP_EXITED], names=["second"])
    image_id = rocket.fetch(image)
    process, uuid = rocket.started("example.com/tools/web", "--name=first", "---", "example.com/tools/web", "--name=second", "--exec=/bin/sh", "--",
                                   "-c", "echo one; echo two; echo three; exec sleep 1000")
    prepared = rocket("--insecure-options=image", "prepare", "example.com/tools/web").stdout.split()[-1]
    events.expect("IMAGE_IMPORTED", image_id, "example.com/tools/web")
    events.expect("POD_PREPARED", prepared)
    assert events.expect("POD_STARTED", uuid) < events.expect("APP_STARTED", uuid, "first")

    # What there is, and what of it is wanted.
    pods = {pod.id: pod for pod in stub.ListPods(api.ListPodsRequest()).pods}
    assert set(pods) == {uuid, prepared}
    assert (pods[uuid].state, pods[prepared].state) == (api.POD_STATE_RUNNING, api.POD_STATE_PREPARED)
    assert pods[uuid].pid > 0 and pods[prepared].pid == -1 and pods[uuid].manifest == b"" and pods[uuid].started_at > pods[uuid].created_at > 0
    assert [(app.name, app.state, app.exit_code, app.image.name) for app in pods[uuid].apps] == \
        [(name, api.APP_STATE_RUNNING, -1, "example.com/tools/web") for name in ("first", "second")]

    def found(*filters):
        return [pod.id for pod in stub.ListPods(api.ListPodsRequest(filters=[api.PodFilter(**each) for each in filters])).pods]
    assert found({"states": [api.POD_STATE_RUNNING]}) == [uuid] == found({"app_names": ["first", "second"]})
    assert found({"app_names": ["first"], "states": [api.POD_STATE_PREPARED]}) == []
    assert sorted(found({"ids": [uuid]}, {"states": [api.POD_STATE_PREPARED]})) == sorted(pods)
    assert found({"pod_sub_cgroups": [pods[uuid].cgroup + "/system.slice"]}) == [uuid] == found({"cgroups": [pods[uuid].cgroup]})
    one = stub.InspectPod(api.InspectPodRequest(id=uuid[:8])).pod
    assert json.loads(one.manifest) == json.loads(rocket("cat-manifest", uuid).stdout)

    def images(**conditions):
        return [each.id for each in stub.ListImages(api.ListImagesRequest(filters=[api.ImageFilter(**conditions)])).images]
    assert images(base_names=["web"]) == images(prefixes=["example.com/"], keywords=["tools"]) == [image_id]
    assert images(annotations=[api.KeyValue(Key="tier", value="front")], labels=[api.KeyValue(Key="os", value="linux")]) == [image_id]
    assert images(base_names=["tools"]) == images(full_names=["example.com/tools"]) == images(imported_before=1) == []
    assert json.loads(stub.InspectImage(api.InspectImageRequest(id=image_id)).image.manifest)["name"] == "example.com/tools/web"
    assert failure(lambda: stub.InspectPod(api.InspectPodRequest(id="12345678"))) == grpc.StatusCode.NOT_FOUND
    assert failure(lambda: stub.InspectPod(api.InspectPodRequest())) == grpc.StatusCode.INVALID_ARGUMENT
    assert failure(lambda: stub.InspectImage(api.InspectImageRequest(id="sha512-" + 64 * "0"))) == grpc.StatusCode.NOT_FOUND

    # What was written, and what is.
    def logged(**wanted):
        return [line for part in stub.GetLogs(api.GetLogsRequest(pod_id=uuid, **wanted)) for line in part.lines]
    wait_for(lambda: logged(app_name="second") == ["one", "two", "three"], "the journal")
    assert logged(app_name="second", lines=2) == ["two", "three"] and logged(app_name="first") == logged(until_time=1) == []
    following = stub.GetLogs(api.GetLogsRequest(pod_id=uuid, follow=True))
    assert next(following).lines[0] == "one"

    # The end: of the pod, of those who follow it, of what it was made of.
    rocket("stop", uuid)
    process.wait(20)
    assert not any(part.lines for part in following)
    assert events.expect("APP_EXITED", uuid, "first") < events.expect("POD_EXITED", uuid)
    only_exits.expect("APP_EXITED", uuid, "second")
    assert len(only_exits.seen) == 1
    rocket("rm", uuid, prepared)
    events.expect("POD_GARBAGE_COLLECTED", uuid)
    events.expect("POD_GARBAGE_COLLECTED", prepared)
    rocket("image", "rm", image_id)
    events.expect("IMAGE_REMOVED", image_id, "example.com/tools/web")
    assert len(events.seen) == len(set(events.seen)), "told twice"

    # Nobody is connected: it ends, and the next one starts it again.
    channel.close()
    wait_for(lambda: service.show("ActiveState") == "inactive", "the service to end")
    with grpc.insecure_channel(SOCKET) as again:
        assert api.Stub(again).ListPods(api.ListPodsRequest(), timeout=20).ByteSize() == 0


def test_who_may_ask(rocket, api, service):
    ask = ("import sys, grpc; sys.path[0:0] = sys.argv[1:2]; import v1alpha_pb2 as m, v1alpha_pb2_grpc as s\n"
           f"print(s.PublicAPIStub(grpc.insecure_channel('{SOCKET}')).GetInfo(m.GetInfoRequest(), timeout=10).info.api_version)")

    def answered(*groups):
        services.subprocess.run(["chmod", "0666", "/run/rocket/api.sock"], check=True)  # the file's mode is not what protects it
        user = ["setpriv", "--reuid=12345", "--regid=12345", *(["--groups", ",".join(groups)] if groups else ["--clear-groups"])]
        done = subprocess.run([*user, sys.executable, "-c", ask, api.__file__.rsplit("/", 1)[0]], capture_output=True, text=True, timeout=60)
        return done.returncode == 0 and done.stdout == "1.0.0-alpha\n"
    subprocess.run(["chmod", "-R", "a+rX", api.__file__.rsplit("/", 1)[0]], check=True)
    assert answered("rocket") and not answered()
    wait_for(lambda: "refused user 12345" in service.log(), "the journal to have it")


def test_streams_leave_room_for_other_calls(rocket, api, service):
    with grpc.insecure_channel(SOCKET) as channel:
        stub = api.Stub(channel)
        streams = [stub.ListenEvents(api.ListenEventsRequest()) for _ in range(48)]
        for stream in streams:
            stream.initial_metadata()
        assert failure(lambda: next(stub.ListenEvents(api.ListenEventsRequest()))) == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert stub.GetInfo(api.GetInfoRequest(), timeout=20).info.appc_version
        assert failure(lambda: stub.ListPods(api.ListPodsRequest(filters=[api.PodFilter(ids=["x" * 1000] * 8000)]))) == grpc.StatusCode.RESOURCE_EXHAUSTED
        for stream in streams:
            stream.cancel()


def test_other_addresses(rocket, api):
    path = rocket.home / "api.sock"
    by_hand = rocket.start("api-service", f"--listen=unix://{path}")
    wait_for(path.exists, "the socket")
    with grpc.insecure_channel(f"unix://{path}") as channel:
        assert api.Stub(channel).GetInfo(api.GetInfoRequest(), timeout=20).info.appc_version
    assert "another service listens at" in rocket("api-service", f"--listen=unix://{path}", status=254).stderr
    by_hand.terminate()
    assert by_hand.wait(20) == 0
    tcp = rocket.start("api-service", "--listen=127.0.0.1:15441")
    with grpc.insecure_channel("127.0.0.1:15441") as channel:
        assert api.Stub(channel).ListImages(api.ListImagesRequest(), timeout=20, wait_for_ready=True).ByteSize() == 0
    tcp.terminate()
    assert tcp.wait(20) == 0
    (rocket.home / "file").touch()
    assert "is there, and is no socket" in rocket("api-service", f"--listen=unix://{rocket.home}/file", status=254).stderr and (rocket.home / "file").exists()
    assert '"99999" is no port' in rocket("api-service", "--listen=127.0.0.1:99999", status=254).stderr
    assert "is neither unix://PATH nor HOST:PORT" in rocket("api-service", "--listen=nowhere", status=254).stderr
