import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { toASCII, toUnicode } from 'tr46';
import { codePoints, RequiredText, textRule } from '../validation/rules';

/** RFC 5321 §4.5.3.1, as email-validator counts: characters of the local part, octets of the rest. */
const MAX_LOCAL_PART = 64;
const MAX_LABEL = 63;
/** Longest label that is looked at, in code points: mapping can shorten one, but not by this much. */
const MAX_UNMAPPED_LABEL = 4 * MAX_LABEL;
const MAX_DOMAIN = 253;
const MAX_ADDRESS = 254;
/** pydantic's bound on what it looks at. */
const MAX_INPUT = 2048;

/** RFC 5322 §3.2.3, without quoted forms; RFC 6531 adds what is beyond ASCII. */
const ATEXT = "[\\w!#$%&'*+\\-/=?^`{|}~]";
const ATEXT_INTERNATIONAL = ATEXT.replace('\\w', '\\w\\u{80}-\\u{10ffff}');
const DOT_ATOM = new RegExp(`^${ATEXT}+(\\.${ATEXT}+)*$`);
const DOT_ATOM_INTERNATIONAL = new RegExp(
  `^${ATEXT_INTERNATIONAL}+(\\.${ATEXT_INTERNATIONAL}+)*$`,
  'u',
);
const INVISIBLE = /^\p{M}|[\p{Z}\p{C}]/u;

/**
 * What IDNA 2008 lets stand in a label, mapped by UTS 46 (RFC 5892): letters, marks, digits, and in
 * their places a middle dot between two l, and the dot of Katakana.
 */
const LABEL =
  /^(?:[\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}\u13a0-\u13f5-]|\u200c|\u200d|(?<=l)\u00b7(?=l)|\u30fb)+$/u;
/** Of those: parts of old Hangul syllables, and the digits of two Arabic scripts side by side. */
const NO_LABEL =
  /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]|[\u0660-\u0669].*[\u06f0-\u06f9]|[\u06f0-\u06f9].*[\u0660-\u0669]|^(?=.*\u30fb)[^\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]*$/u;
/** Letters and digits of ASCII, with hyphens between them, but not where they mark an encoding. */
const PLAIN_LABEL = /^(?!.{64})(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** UTS 46 §4: what separates labels. */
const DOTS = /[.\u3002\uff0e\uff61]/u;
const IDNA = { checkHyphens: true, checkBidi: true, checkJoiners: true, useSTD3ASCIIRules: true };

/** RFC 6761: nobody receives mail there. */
const SPECIAL_USE = /(^|\.)(arpa|invalid|local|localhost|onion|test)$/;

/** White space that Python's `str.strip()` takes off both ends. */
// eslint-disable-next-line no-control-regex -- four of them are white space to Python
const ENDS = /^[\p{White_Space}\u001c-\u001f]+|[\p{White_Space}\u001c-\u001f]+$/gu;

/**
 * An email address as pydantic v1's `EmailStr` takes and keeps it: `Name <address>` is the address,
 * the domain becomes lower-case, and the rest stays as it was typed.
 *
 * @returns the address to keep, or `undefined` if this is none
 */
export function parseEmailAddress(text: string): string | undefined {
  if (codePoints(text) > MAX_INPUT) return undefined;
  const address = (addressInBrackets(text) ?? text).replace(ENDS, '');
  const [localPart = '', domain = '', ...more] = address.split('@');
  if (more.length > 0 || !isLocalPart(localPart)) return undefined;
  const labels = domain.split(DOTS).map(idnaLabel);
  if (labels.length < 2 || !labels.every((label) => label !== undefined)) return undefined;
  const ascii = labels.map(({ ascii }) => ascii).join('.');
  const unicode = labels.map(({ unicode }) => unicode).join('.');
  if (ascii.length > MAX_DOMAIN || !/[a-z]$/.test(ascii) || SPECIAL_USE.test(ascii))
    return undefined;
  const longest = Math.max(
    DOT_ATOM.test(localPart) ? localPart.length + 1 + ascii.length : 0,
    Buffer.byteLength(`${localPart.normalize('NFC')}@${unicode}`),
  );
  return longest > MAX_ADDRESS ? undefined : `${localPart}@${domain.toLowerCase()}`;
}

/** A field that is an email address, kept as `parseEmailAddress` gives it. */
export function EmailAddress(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (parseEmailAddress(value) ?? value) : value,
    ),
    RequiredText(),
    textRule('email', (value) => parseEmailAddress(value) !== undefined),
  );
}

/** The address of `Name <address>`, all on one line. */
function addressInBrackets(text: string): string | undefined {
  const [name = '', ...rest] = text.split('<');
  const inner = rest.join('<').replace(/ *$/, '');
  if (!inner.endsWith('>') || inner.includes('\n') || !/^[\p{L}\p{N}_ ]*$/u.test(name)) {
    return undefined;
  }
  return inner.slice(0, -1);
}

function isLocalPart(text: string): boolean {
  if (codePoints(text) > MAX_LOCAL_PART) return false;
  return (
    DOT_ATOM.test(text) ||
    (DOT_ATOM_INTERNATIONAL.test(text) && !INVISIBLE.test(text.normalize('NFC')))
  );
}

/** One label of a domain, mapped by UTS 46, in both of its forms. */
function idnaLabel(text: string): { ascii: string; unicode: string } | undefined {
  // Most are: nothing is mapped, and the tables need not be asked.
  if (PLAIN_LABEL.test(text)) return { ascii: text, unicode: text };
  if (codePoints(text) > MAX_UNMAPPED_LABEL) return undefined;
  const { domain: unicode, error } = toUnicode(text, IDNA);
  if (error || !LABEL.test(unicode) || NO_LABEL.test(unicode)) return undefined;
  const ascii = toASCII(unicode, IDNA);
  return ascii === null || ascii.length > MAX_LABEL ? undefined : { ascii, unicode };
}
