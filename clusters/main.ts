/**
 * The cdk8s app: every definition in this folder becomes a folder of manifests under dist/.
 * `npx cdk8s synth` runs it; `--strict` (or GALA_STRICT=1) makes warnings errors.
 */
import { synthMain } from '../constructs/synth.ts';

process.exitCode = await synthMain({ definitions: import.meta.dirname, args: process.argv.slice(2) });
