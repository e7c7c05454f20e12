/** What `gala cloud` and what is rendered for it have in common. */
import { SYSTEM_NAMESPACE } from './scheduling.ts';

/** Lease by which one `gala cloud` leads; its ServiceAccount has the same name. */
export const CLOUD_LEASE = 'gala-cloud';

/** Whom the policy of NodeNetworks lets fill in ENI slots. */
export const CLOUD_ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${CLOUD_LEASE}`;

/** Plain HTTP on loopback: probes and metrics of `gala cloud`. */
export const CLOUD_PORT = 10274;

/** ConfigMap with the user data of each ec2 pool, its launch values open: what `gala cloud` launches with. Its key is the pool's name. */
export const USER_DATA_CONFIGMAP = 'gala-cloud-user-data';

/** Secret with the key that bootstrap tokens are worked out of. */
export const LAUNCH_KEY_SECRET = 'gala-cloud-launches';

/** Group of instances that have a bootstrap token and no certificate yet. */
export const BOOTSTRAP_GROUP = 'system:bootstrappers:gala';

/** On a Node whose instance is to go: that instance's id; with ` cordoned before`, where somebody else had cordoned it. */
export const LEAVING_ANNOTATION = 'gala.internal/leaving';

/** ConfigMap in which `gala cloud` says how far it is, region by region: what `gala cloud status` reads, and where it looks for orphans. */
export const CLOUD_STATUS_CONFIGMAP = 'gala-cloud-status';
