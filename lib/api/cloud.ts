/** What `gala cloud` and what is rendered for it have in common. */
import { SYSTEM_NAMESPACE } from './scheduling.ts';

/** Lease by which one `gala cloud` leads; its ServiceAccount has the same name. */
export const CLOUD_LEASE = 'gala-cloud';

/** Whom the policy of NodeNetworks lets fill in ENI slots. */
export const CLOUD_ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${CLOUD_LEASE}`;

/** Plain HTTP on loopback: probes and metrics of `gala cloud`. */
export const CLOUD_PORT = 10274;
