/** The cdk8s app of a generated fleet. Argument: the folder of definitions. */
import { synthMain } from '../../../constructs/synth.ts';
import { filler } from './filler.ts';

const [definitions = 'clusters'] = process.argv.slice(2);
process.exitCode = await synthMain({ definitions, concerns: [filler] });
