/**
 * Values that look like secrets, by the name they stand under or by their form. Few false alarms matter more than finding
 * all: names of files, of Secret objects and of variables are no secrets, and neither are switches.
 */

/** Whether a value under this name (`DB_PASSWORD`, `--auth-token`, `clientSecret`) is a secret in plain text. */
export function isSecretLike(name: string, value: string): boolean {
  return holdsSecret(value) || (isSecretName(name) && isLiteral(value) && !isHarmless(name, value));
}

/** Whether a value is one by its form alone: a private key, or a URL with a password. */
export function holdsSecret(value: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value) || URL_WITH_PASSWORD.test(value);
}

/** Placeholders in the password's place are none. A scheme is short: without that bound a long text would be read again and again. */
const URL_WITH_PASSWORD = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]*:(?![$<*{%])[^\s/@]+@/i;

/** The last word counts: `TOKEN_FILE` and `PASSWORD_MIN_LENGTH` are about something else. */
function isSecretName(name: string): boolean {
  const words = wordsOf(name);
  const [last = '', before = ''] = words.toReversed();
  if (last === 'key') return KEYS.has(before);
  if (last === 'secret') return !OBJECTS.has(before);
  // DB_PASS is one; a pass by itself may be the second of three.
  if (last === 'pass') return before !== '';
  return SECRETS.has(last);
}
const SECRETS: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'passphrase',
  'token',
  'apikey',
  'secretkey',
  'accesstoken',
  'apitoken',
]);
const KEYS: ReadonlySet<string> = new Set(['api', 'private', 'secret', 'access', 'signing', 'encryption']);
/** `IMAGE_PULL_SECRET`, `TLS_SECRET`: the name of a Secret. */
const OBJECTS: ReadonlySet<string> = new Set(['pull', 'tls', 'cert', 'certificate', 'ca', 'name', 'existing']);

/** `dbPassword2` → db, password. */
function wordsOf(name: string): string[] {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.split(/[^a-z]+/).filter((word) => word !== '');
}

/** Not a reference (`$(TOKEN)`, `{{ .token }}`, `<token>`, `vault:…`), a path, an address or a switch. */
function isLiteral(value: string): boolean {
  const said = value.trim();
  return (
    said !== '' &&
    !/^(?:\$|\{\{|<|\*+$|\.{0,2}\/|~\/|[a-z][a-z0-9+.-]*:\/\/|(?:file|vault|ref|env|secret):)/i.test(said) &&
    !/^(?:true|false|yes|no|on|off|none|null|auto|enabled|disabled|required|optional)$/i.test(said)
  );
}

/** A number beside `token` or `pass` counts them. */
function isHarmless(name: string, value: string): boolean {
  return /(?:token|pass)$/i.test(name) && /^\d{1,6}$/.test(value.trim());
}
