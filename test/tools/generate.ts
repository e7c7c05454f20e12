/**
 * `npm run imports`: writes every generated file of the repository. `--check` writes nothing, names what is stale and
 * ends with 1. Works offline.
 */
import { GENERATED, stale, write } from './generated.ts';

if (process.argv.includes('--check')) {
  const old = await stale(GENERATED);
  for (const { path } of old) console.error(`${path} is not what lib/api makes. Run \`npm run imports\` and commit it.`);
  process.exitCode = old.length === 0 ? 0 : 1;
} else {
  const written = await write(GENERATED);
  console.log(written.length === 0 ? 'everything is fresh' : written.map((path) => `wrote ${path}`).join('\n'));
}
