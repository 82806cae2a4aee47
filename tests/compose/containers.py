"""Runs a service of compose.yaml as a container does, without Docker: as its user, without
capabilities, on a read-only tree, with the service's own mounts.

Linux does it by the same means: a mount namespace, tmpfs, bind mounts. The programs come from this
machine. What the images bring (folders, owners, modes) stands in IMAGE_FOLDERS.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from embedded.initdb import binary
from embedded.jars import kafka_jars
from embedded.valkey import server_program
from tests.compose.files import (
    ROOT,
    Service,
    command_of,
    environment_of,
    fill_in,
    is_ours,
    read_stages,
    stage_of,
    target_of,
)


@dataclass(frozen=True)
class Folder:
    """A folder of an image."""

    user: int
    group: int
    mode: int


# From the Dockerfiles of the publishers.
IMAGE_FOLDERS = {
    "postgres": {
        "/var/lib/postgresql": Folder(999, 999, 0o1777),
        "/run/postgresql": Folder(999, 999, 0o3777),
    },
    "valkey/valkey": {"/data": Folder(999, 1000, 0o755)},
    "apache/kafka": {
        "/opt/kafka/config": Folder(1000, 1000, 0o755),
        "/etc/kafka/secrets": Folder(1000, 0, 0o775),
        "/mnt/shared/config": Folder(1000, 1000, 0o755),
        "/var/lib/kafka/data": Folder(1000, 0, 0o775),
    },
}
# What the entry point of an image does before the service's command, as far as it writes.
ENTRY_POINTS = {
    "postgres": """
        if [ "$1" = postgres ]; then
            mkdir -p "$PGDATA"; chmod 700 "$PGDATA"; test -w /run/postgresql
            printf %s "$POSTGRES_PASSWORD" >/tmp/password
            test -s "$PGDATA/PG_VERSION" ||
                initdb --username=postgres --pwfile=/tmp/password $POSTGRES_INITDB_ARGS
            echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
            set -- "$@" -c 'listen_addresses=*' -c unix_socket_directories=/run/postgresql
        fi
        exec "$@" """,
    "valkey/valkey": """test -w . || { echo "$PWD not writable"; exit 1; }; exec "$@" """,
    # The wrapper is the image's own. It turns the variables into server.properties.
    "apache/kafka": """
        test -w /opt/kafka/config/ || { echo "/opt/kafka/config/ file not writable"; exit 1; }
        test -w /opt/kafka/logs || { echo "/opt/kafka/logs not writable"; exit 1; }
        java -cp "$JARS/*" kafka.docker.KafkaDockerWrapper setup \\
            --default-configs-dir "$DEFAULTS" --mounted-configs-dir /mnt/shared/config \\
            --final-configs-dir /opt/kafka/config
        exec java $KAFKA_HEAP_OPTS -cp "$JARS/*" kafka.Kafka /opt/kafka/config/server.properties""",
}
WORKING_FOLDERS = {"valkey/valkey": "/data"}
SYSTEM = ("bin", "lib", "lib64", "sbin", "usr")
SYSTEM_SETTINGS = "alternatives group java* ld.so* localtime nsswitch.conf ssl"
HOSTS = "127.0.0.1 localhost postgres valkey kafka portal billing analytics\n"
PATH = "/usr/local/bin:/usr/bin:/bin"


@cache
def why_not() -> str:
    """Returns why this machine cannot run containers; empty when it can."""
    try:
        done = subprocess.run(
            [*NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        return f"needs unshare of util-linux: {error.strerror}"
    refusal = done.stderr.strip().splitlines()
    return f"needs root with mount and network namespaces: {refusal[-1]}" if done.returncode else ""


# The network of its own has every port free, and a process ends with the first of its namespace.
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


@dataclass(frozen=True)
class Containers:
    """The containers of one test. `folder` keeps their volumes and the code of our images."""

    folder: Path

    def command(self, service: Service, arguments: list[str] | None = None) -> list[str]:
        """Returns a command that runs the service, or another program in its container.

        The caller has to be root in a mount namespace of its own.
        """
        script = "\n".join([*self._tree(service), *self._mounts(service), self._enter()])
        words = arguments if arguments is not None else self._entry(service)
        environment = [f"{name}={value}" for name, value in environment_in(service).items()]
        user, group = account_of(service)
        return [
            "unshare",
            "--mount",
            "sh",
            "-euc",
            script,
            "sh",
            f"--reuid={user}",
            f"--regid={group}",
            *environment,
            "sh",
            "-euc",
            'cd "$1"; shift; exec "$@"',
            "sh",
            working_folder(service),
            *words,
        ]

    def build(self, target: str) -> None:
        """Lays out /app as the Dockerfile does, and runs the last steps of that stage."""
        app = self.folder / "images" / target
        app.mkdir(parents=True)
        stage = read_stages()[target]
        for copy in stage.steps_of("COPY"):
            if copy.startswith("--from=portal-packages") or "/venv" in copy:
                continue
            *sources, place = copy.removeprefix("--from=protos ").split()
            for source in sources:
                origin = ROOT / source.removeprefix("/build/")
                to = app / place if origin.is_dir() else app / place / origin.name
                if origin.is_dir():
                    shutil.copytree(origin, to, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(origin, to)
        self._run_last_steps(target, app)

    def _run_last_steps(self, target: str, app: Path) -> None:
        for step in read_stages()[target].steps_of("RUN"):
            if "python" in step:
                environment = {
                    **read_stages()[target].env,
                    "PATH": f"{sys.prefix}/bin:{PATH}",
                    "PORTAL_DATA_DIR": str(self.folder),
                    "DJANGO_SETTINGS_MODULE": "portal.settings",
                }
                subprocess.run(["sh", "-ec", step], cwd=app, env=environment, check=True)

    def _jars(self) -> Path:
        """Returns a copy that every account may read; the folder of the cache is its owner's."""
        jars = self.folder / "jars"
        if not jars.exists():
            shutil.copytree(kafka_jars(), jars)
            jars.chmod(0o755)
        return jars

    def _entry(self, service: Service) -> list[str]:
        image = image_of(service)
        command = [fill_in(word) for word in command_of(service)] if has_command(service) else []
        if image in ENTRY_POINTS:
            return ["sh", "-ec", ENTRY_POINTS[image], "sh", *command]
        return command

    def _tree(self, service: Service) -> list[str]:
        """Returns the steps that make a root folder out of this machine's programs."""
        root, etc = self.folder / "root", self._etc()
        steps = [
            f"root={shlex.quote(str(root))}; mkdir -p $root",
            "mount --make-rprivate /",
            "mount -t tmpfs -o mode=755 root $root",
            f"for name in {' '.join(SYSTEM)}; do",
            "    if [ -L /$name ]; then cp -d /$name $root/$name; continue; fi",
            "    test -d /$name || continue",
            "    mkdir $root/$name; mount --rbind /$name $root/$name",
            "    mount -o remount,bind,ro $root/$name",
            "done",
            "mkdir -m 1777 $root/tmp; mkdir $root/proc $root/dev $root/run",
            "mount --rbind /proc $root/proc; mount --rbind /dev $root/dev",
            "mkdir $root/etc",
            f"(cd /etc; for name in {SYSTEM_SETTINGS}; do",
            "    test ! -e $name || cp -a $name $root/etc; done)",
            f"cp {shlex.quote(str(etc))}/* $root/etc",
            *(_bind(path, path) for path in programs()),
        ]
        for place, folder in image_folders(service).items():
            steps += [f"mkdir -p $root{place}", *_give(place, folder)]
        if is_ours(service):
            steps.append(_bind(self.folder / "images" / target_of(service), Path("/app")))
        if image_of(service) == "apache/kafka":
            steps += [_bind(self._jars(), Path("/opt/kafka/libs"))]
            steps += [_bind(KAFKA_DEFAULTS, Path("/etc/kafka/docker"))]
        return steps

    def _mounts(self, service: Service) -> list[str]:
        """Returns the steps for volumes and tmpfs, as Docker and runc mount them."""
        steps = []
        for volume in service.get("volumes", []):
            source, place, *_ = volume.split(":")
            if source.startswith("."):
                steps.append(_bind_file(ROOT / source, place))
            else:
                steps += self._volume(source, place, image_folders(service)[place])
        for mount in service.get("tmpfs", []):
            place, _, options = mount.partition(":")
            steps += _tmpfs(place, options)
            # It hides the programs of a checkout that lies below the same folder.
            steps += [_bind(path, path) for path in programs() if path.is_relative_to(place)]
        return [*steps, "mount -o remount,ro $root" if service["read_only"] else "true"]

    def _volume(self, name: str, place: str, folder: Folder) -> list[str]:
        """A new volume gets the owner and the mode that the folder has in the image."""
        path = self.folder / "volumes" / name
        if not path.exists():
            path.mkdir(parents=True)
            os.chown(path, folder.user, folder.group)
            path.chmod(folder.mode)
        return [f"mkdir -p $root{place}; mount --bind {shlex.quote(str(path))} $root{place}"]

    def _enter(self) -> str:
        chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin")
        return f"""
            reuid=$1 regid=$2; shift 2
            exec {chroot} $root setpriv $reuid $regid --clear-groups --no-new-privs \\
                --bounding-set=-all --inh-caps=-all -- env -i "$@" """

    def _etc(self) -> Path:
        etc = self.folder / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "hosts").write_text(HOSTS)
        users = {"postgres": 999, "kafka": 1000, "app": app_user()}
        lines = ["root:x:0:0::/:/bin/sh"]
        lines += [f"{name}:x:{number}:{number}::/:/bin/sh" for name, number in users.items()]
        (etc / "passwd").write_text("\n".join(lines) + "\n")
        return etc


def image_of(service: Service) -> str:
    return service["image"].partition(":")[0]


def image_folders(service: Service) -> dict[str, Folder]:
    if image_of(service) in IMAGE_FOLDERS:
        return IMAGE_FOLDERS[image_of(service)]
    made = re.findall(
        r"install --directory --owner app --mode (\d+) (\S+)",
        "\n".join(stage_of(service).steps_of("RUN")),
    )
    return {place: Folder(app_user(), app_user(), int(mode, 8)) for mode, place in made}


def app_user() -> int:
    """Returns the number of the account that the Dockerfile makes for our processes."""
    steps = "\n".join(read_stages()["runtime"].steps_of("RUN"))
    return int(re.findall(r"useradd .*--uid (\d+)", steps)[0])


def account_of(service: Service) -> tuple[int, int]:
    if "user" in service:
        user, _, group = service["user"].partition(":")
        return int(user), int(group)
    return app_user(), app_user()


def working_folder(service: Service) -> str:
    return "/app" if is_ours(service) else WORKING_FOLDERS.get(image_of(service), "/")


def has_command(service: Service) -> bool:
    return "command" in service or is_ours(service)


def environment_in(service: Service) -> dict[str, str]:
    """Returns the whole environment of the service: the image's variables, then its own."""
    if is_ours(service):
        environment = environment_of(service)
        environment["PATH"] = environment["PATH"].replace("$PATH", PATH)
        environment["PATH"] = environment["PATH"].replace("/venv/bin", f"{sys.prefix}/bin")
    else:
        environment = {name: fill_in(str(value)) for name, value in service["environment"].items()}
        folders = (binary("initdb").parent, server_program().parent, Path(PATH))
        environment["PATH"] = ":".join(map(str, folders))
        environment |= {"PGDATA": "/var/lib/postgresql/18/docker"}
        if image_of(service) == "apache/kafka":
            environment |= {"JARS": "/opt/kafka/libs", "DEFAULTS": "/etc/kafka/docker"}
    return environment | {"HOME": "/nowhere", "HOSTNAME": os.uname().nodename}


KAFKA_DEFAULTS = Path(__file__).parent / "kafka_defaults"


def programs() -> list[Path]:
    """Returns the folders beside the system's that hold programs of the services."""
    wanted = [Path(sys.prefix), Path(sys.base_prefix)]
    return [path for path in wanted if not str(path).startswith("/usr/")]


def _give(place: str, folder: Folder) -> list[str]:
    return [
        f"chown {folder.user}:{folder.group} $root{place}",
        f"chmod {folder.mode:o} $root{place}",
    ]


def _bind(source: Path, place: Path) -> str:
    quoted = shlex.quote(str(source))
    return (
        f"mkdir -p $root{place}; mount --bind {quoted} $root{place}; "
        f"mount -o remount,bind,ro $root{place}"
    )


def _bind_file(source: Path, place: str) -> str:
    return f"touch $root{place}; mount --bind {shlex.quote(str(source))} $root{place}"


def _tmpfs(place: str, options: str) -> list[str]:
    """Mounts as runc does: the mode is that of the folder below, whatever the options say.

    The owner is root, unless the options name another.
    """
    given = [option for option in options.split(",") if option and option != "exec"]
    usual = ["nosuid", "nodev"] + ([] if "exec" in options.split(",") else ["noexec"])
    return [
        f"mode=$(stat -c %a $root{place} 2>/dev/null || echo 1777); mkdir -p $root{place}",
        f"mount -t tmpfs -o {','.join(usual + given)} none $root{place}",
        f"chmod $mode $root{place}",
    ]
