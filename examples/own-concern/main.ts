// The cdk8s app of a project of one's own; cdk8s.yaml names it.
import { synthMain } from 'cdk8s-gala';
import { ddos } from './ddos.ts';

process.exitCode = await synthMain({
  definitions: ['edge.ts'].map((file) => `${import.meta.dirname}/${file}`),
  concerns: [ddos],
  args: process.argv.slice(2),
});
