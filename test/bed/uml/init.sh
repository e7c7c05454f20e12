#!/bin/busybox sh
# Process 1 of a node of the test bed (node.ts), on a User-Mode Linux kernel whose root is this machine's own files. Root, disk,
# kernel modules, network, containerd and kubelet; then serve.c stays as process 1.
#
# `folder`, from the kernel's command line, is the node's own folder on this machine; `settings` in it says the rest. Applets of
# busybox are used throughout: in User-Mode Linux it takes a tenth of a second to load a program with its libraries.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. "$folder/settings"
modules=/usr/lib/uml/modules/$(uname -r)

die() {
  echo "init: $1"
  poweroff -f
}

if [ "${stage:-}" = "" ]; then
  # This machine's files are only read. What the node writes goes to its disk, and is there after a reboot as on any host.
  # By its path: busybox starts its applets as /proc/self/exe, which until then is a process of this machine.
  /bin/busybox mount -t proc proc /proc
  insmod "$modules/kernel/fs/overlayfs/overlay.ko" || die 'no overlayfs'
  mount -t tmpfs tmpfs /run
  root=/run/root disk=/run/disk
  mkdir -p $root $disk
  mount -t xfs -o prjquota /dev/ubda $disk || die 'its disk does not mount'
  mkdir -p $disk/upper $disk/work $disk/containerd $disk/kubelet
  mount -t overlay -o lowerdir=/,upperdir=$disk/upper,workdir=$disk/work overlay $root || die 'no root'
  # overlayfs does not carry the file systems that containers and volumes want under them.
  mkdir -p $root/var/lib/containerd $root/var/lib/kubelet
  mount --bind $disk/containerd $root/var/lib/containerd
  mount --bind $disk/kubelet $root/var/lib/kubelet
  mount -t proc proc $root/proc
  mount -t sysfs sysfs $root/sys
  mount -t devtmpfs dev $root/dev
  mkdir -p $root/dev/pts $root/dev/shm
  mount -t devpts devpts $root/dev/pts
  mount -t tmpfs shm $root/dev/shm
  mount -t tmpfs tmpfs $root/run
  mkdir -p "$root$folder" $root/run/before
  mount -t hostfs none "$root$folder" -o "$folder"
  cd $root && pivot_root . run/before || die 'no root to change to'
  export stage=two
  exec chroot . "$0"
fi

mkdir -p /lib/modules
ln -sfn "$modules" "/lib/modules/$(uname -r)"
# What the kernel loads modules with when a program asks for a thing that needs one; this machine may have none.
[ -x /sbin/modprobe ] || ln -sf /bin/busybox /sbin/modprobe
modprobe -a 8021q macvlan veth sch_tbf sch_ingress cls_u32 act_mirred
# Without the devices that these make by themselves: a host has none.
modprobe ifb numifbs=0
modprobe dummy numdummies=0
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Volumes that a pod mounts are to be seen by the kubelet, and the other way round.
mount --make-rshared /
# User-Mode Linux does not say how fast its CPU is; the kubelet (cadvisor) does not start without.
sed 's/^fpu/cpu MHz\t\t: 3000.000\nfpu/' /proc/cpuinfo > /run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo

cp -a "$folder/root/." /
hostname "$name"
ip link set lo up
ip link set vec0 name "$trunk"
ip link set "$trunk" up
ip addr add "$address" dev "$trunk"
ip route add default via "$gateway"
for file in "$folder"/root/etc/sysctl.d/*.conf; do [ -e "$file" ] && sysctl -q -p "$file"; done
# What a host's own network configuration does at boot.
[ -x "$folder/root/etc/rc.local" ] && /etc/rc.local

# As a service manager: what has ended is started again.
keep() {
  service=$1
  shift
  while :; do
    "$@" >> "$folder/$service.log" 2>&1
    sleep 1
  done &
}

export PATH=$folder/bin:$PATH
keep containerd containerd --config /etc/containerd/config.toml
(
  until [ -S /run/containerd/containerd.sock ]; do usleep 50000; done
  for archive in "$folder"/images/*.tar; do
    [ -e "$archive" ] || continue
    imported=/var/lib/containerd/imported-$(basename "$archive")
    [ -e "$imported" ] || { ctr -n k8s.io images import --local "$archive" > /dev/null && touch "$imported"; }
  done
  # The host files that synth rendered set flags in this file; a service unit reads it on a host.
  GALA_KUBELET_ARGS=
  [ -e /etc/default/gala-kubelet ] && . /etc/default/gala-kubelet
  # shellcheck disable=SC2086 # these are several flags
  keep kubelet kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \
    --hostname-override="$name" --node-ip="${address%/*}" $GALA_KUBELET_ARGS
) &
exec "$folder/bin/serve" /dev/ttyS0 "$folder/exec"
