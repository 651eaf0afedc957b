#!/usr/bin/env bash
# Builds a local stand-in for the official image apache/kafka, for machines that
# reach Maven Central and a Debian mirror but no container registry. The broker
# is the real one; README.md says what is the same and what is not.
#
#   build.sh [VERSION]    default 4.3.0; needs root, debootstrap, Maven, a JDK
#                         and a running Docker engine
#
#   DEBIAN_MIRROR   where debootstrap reads (default http://deb.debian.org/debian)
#   DEBIAN_SUITE    default bookworm, which has Java 17
#   FORCE=1         build although the image is there
set -euo pipefail

version=${1:-4.3.0}
image=apache/kafka:$version
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${DEBIAN_SUITE:-bookworm}
here=$(cd "$(dirname "$0")" && pwd)

die() {
  echo "build.sh: $*" >&2
  exit 1
}

docker info >/dev/null 2>&1 || die "no Docker engine answers: start one (dockerd, as root), or set DOCKER_HOST"
if [[ ${FORCE:-} != 1 ]] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image is here already (FORCE=1 builds it again)"
  exit 0
fi
[[ $(id -u) == 0 ]] || die "debootstrap makes a root file system and needs root: sudo $0 $version"
for tool in debootstrap mvn java; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install -y debootstrap maven default-jdk-headless"
done

work=$(mktemp -d)
# debootstrap may leave /proc mounted when it is interrupted; rm must not walk into it.
warm=weir-kafka-warm-$$
warm_image=weir-kafka-warm:$$
trap 'umount -q "$work/root/proc" "$work/root/sys" 2>/dev/null || true
      docker rm -fv "$warm" >/dev/null 2>&1 || true
      docker rmi "$warm_image" >/dev/null 2>&1 || true
      rm -rf --one-file-system "$work"' EXIT
root=$work/root

echo "building $image: Debian $suite with a Java runtime ..."
debootstrap --variant=minbase --include=openjdk-17-jre-headless,ca-certificates-java \
  "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  {
    tail -20 "$work/debootstrap.log" >&2
    die "making the Debian root from $mirror: see above; DEBIAN_MIRROR names another mirror"
  }

echo "building $image: Apache Kafka $version from Maven ..."
cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-image</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$root/opt/kafka/libs" </dev/null ||
  die "reading Apache Kafka $version from Maven: see above; a mirror goes into ~/.m2/settings.xml"

# What the broker needs around it: paths, owner and entry point of the official image.
mkdir -p "$root"/opt/kafka/{bin,config} "$root"/etc/kafka/{docker,secrets} \
  "$root"/mnt/shared/config "$root"/var/lib/kafka/data
install -m 0755 "$here/run" "$root/etc/kafka/docker/run"
install -m 0644 "$here/server.properties" "$here/log4j2.yaml" "$root/etc/kafka/docker/"
while read -r name class; do
  # shellcheck disable=SC2016  # for the tool's shell, not this one
  printf '#!/usr/bin/env bash\nexec java -cp "/opt/kafka/libs/*" ${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_OPTS:-} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml %s "$@"\n' \
    "$class" >"$root/opt/kafka/bin/$name"
  chmod 0755 "$root/opt/kafka/bin/$name"
done <"$here/tools.txt"
sed 's/level: INFO/level: WARN/; s/SYSTEM_OUT/SYSTEM_ERR/' "$here/log4j2.yaml" >"$root/etc/kafka/docker/tools-log4j2.yaml"
chroot "$root" useradd --uid 1000 --user-group --no-create-home --home-dir /opt/kafka appuser
chown 1000:1000 "$root"/opt/kafka
chown -R 1000:1000 "$root"/opt/kafka/config "$root"/etc/kafka "$root"/mnt/shared "$root"/var/lib/kafka

rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
  "$root"/usr/share/{doc,man,locale,info} "$root"/etc/machine-id

import_as() { # image name
  tar -C "$root" --one-file-system -c . | docker import \
    --change 'USER 1000' --change 'CMD ["/etc/kafka/docker/run"]' --change 'EXPOSE 9092' \
    --change 'VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]' \
    --change 'ENV PATH=/opt/kafka/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change "LABEL weir.stand-in=\"Apache Kafka $version from Maven Central on Debian $suite; not the official image\"" \
    --message "stand-in for $image" - "$1" >/dev/null
}

# A first run of the broker makes archives of the classes it loads; later starts
# are about twice as fast. Without them the image works too, so a failure here
# is only said.
echo "building $image: making class archives ..."
import_as "$warm_image"
archive_classes() {
  docker run -d --name "$warm" --network none "$warm_image" \
    bash -c 'ARCHIVE_CLASSES=1 exec /etc/kafka/docker/run' >/dev/null || return
  for ((i = 0; i < 120; i++)); do
    docker logs "$warm" 2>&1 | grep -q 'Kafka Server started' && break
    sleep 1
  done
  docker exec "$warm" bash -c 'set -e
    kafka-topics.sh --bootstrap-server localhost:9092 --create --topic warm
    seq 100 | kafka-console-producer.sh --bootstrap-server localhost:9092 --topic warm
    kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic warm --group warm --from-beginning --max-messages 100
    kafka-producer-perf-test.sh --bootstrap-server localhost:9092 --topic warm --num-records 10 --record-size 10 --throughput -1 \
      --transactional-id warm --transaction-duration-ms 100' >/dev/null 2>&1 || echo "building $image: warming up the broker failed; going on" >&2
  docker stop -t 60 "$warm" >/dev/null || return
  for name in storage kafka; do docker cp -q "$warm:/opt/kafka/$name.jsa" "$root/opt/kafka/$name.jsa" || return; done
}
archive_classes || echo "building $image: no class archives; the broker starts slower" >&2

echo "building $image: importing ..."
import_as "$image"
docker image ls "$image"
