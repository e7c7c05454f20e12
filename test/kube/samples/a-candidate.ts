/** A candidate as a process of its own, to be killed: says `leading` and `lost`. Arguments: kubeconfig, name of the Lease. */
import { connect } from '../../../lib/kube/client.ts';
import { elect } from '../../../lib/kube/election.ts';

const [kubeconfig, name] = process.argv.slice(2);
const api = await connect({ kubeconfig });
elect(api, {
  ...{ namespace: 'default', name: name!, identity: 'child', leaseMs: 3_000, renewMs: 2_000, retryMs: 300 },
  async onLead(signal) {
    process.stdout.write('leading\n');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    process.stdout.write('lost\n');
  },
});
