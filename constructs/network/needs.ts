/**
 * What `gala cni` needs of a node, privilege by privilege. Together they are root on the node, the containerd socket alone is;
 * each is there because without it some pod would not start, and docs/constructs/cluster-network.md says what it opens.
 */
import { CNI_PORT, RUN_FOLDER } from '../../lib/api/network.ts';
import type { Need } from '../need.ts';

/** Where the container sees the host's `/proc/sys`: its own is read-only, and so would be whatever is mounted below it. */
export const PROC_SYS = '/host/proc/sys';

export const CNI_NEEDS: readonly Need[] = [
  {
    hostNetwork: true,
    because: "links are made in the host's network namespace and then moved; it runs before there is a pod network, and repairs it",
  },
  {
    capability: 'NET_ADMIN',
    because: 'it makes links, addresses, routes, neighbours and qdiscs, on the host and in the network namespaces of pods',
  },
  {
    capability: 'NET_RAW',
    because: 'it asks by ARP and neighbour discovery whether somebody else has an address before a pod gets it',
  },
  {
    capability: 'SYS_ADMIN',
    because: "setns(2) into a pod's network namespace asks for it; nothing is mounted, and no other namespace is entered",
  },
  {
    hostPath: '/run/netns',
    type: 'DirectoryOrCreate',
    propagation: 'HostToContainer',
    because: 'containerd mounts the network namespaces of pods there, also after this has started; entering one does not write',
  },
  {
    hostPath: '/proc/sys/net',
    mountPath: `${PROC_SYS}/net`,
    readOnly: false,
    because: "settings of a pod's links are written there from inside its namespace; from outside it is the host's own",
  },
  {
    hostPath: '/opt/cni/bin',
    type: 'DirectoryOrCreate',
    readOnly: false,
    because: 'it puts the CNI shim there, which containerd runs as root for each pod',
  },
  {
    hostPath: '/etc/cni/net.d',
    type: 'DirectoryOrCreate',
    readOnly: false,
    because: "it puts Gala's conflist there once it can wire pods, and takes it away on the way back",
  },
  {
    hostPath: RUN_FOLDER,
    type: 'DirectoryOrCreate',
    readOnly: false,
    because: 'the socket that the shim calls, the journal of what was wired, and what the shim leaves while this is away',
  },
  {
    // The folder, not the socket: containerd makes another one when it restarts. And as the host has it: mounts of containers that
    // end would stay alive in a copy of their own.
    hostPath: '/run/containerd',
    propagation: 'HostToContainer',
    because:
      'it asks containerd which sandboxes are there, since containerd never tells that one is gone; whoever can use this socket is root on the node',
  },
  {
    hostPort: CNI_PORT,
    hostIP: '127.0.0.1',
    because: 'the kubelet probes it and a collector on the same host reads its metrics',
  },
];

/** Beside these, where there is no kube-proxy. */
export const NODE_LOCAL_NEEDS: readonly Need[] = [
  {
    capability: 'NET_BIND_SERVICE',
    because: 'it listens on port 443 of the ClusterIP of `kubernetes`, and forwards to the API server what pods send there',
  },
];
