import { BEYOND_ASCII } from './case-fold';

/** Common and Inherited, which go with every script: digits, signs, most marks. And what has none. */
const ANY_SCRIPT = /[\p{scx=Zyyy}\p{scx=Zinh}\p{Co}]+/gu;

/** Scripts that one writes side by side in Japanese, in Chinese and in Korean. */
const WRITTEN_TOGETHER = [
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Bopo}]*$/u,
  /^[\p{scx=Latn}\p{scx=Hani}\p{scx=Hang}]*$/u,
];

/** The others of Unicode 17: PropertyValueAliases.txt, sc. */
const OTHER_SCRIPTS = `
  Adlm Aghb Ahom Arab Armi Armn Avst Bali Bamu Bass Batk Beng Berf Bhks Brah Brai Bugi Buhd Cakm
  Cans Cari Cham Cher Chrs Copt Cpmn Cprt Cyrl Deva Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara
  Geor Glag Gong Gonm Goth Gran Grek Gujr Gukh Guru Hano Hatr Hebr Hluw Hmng Hmnp Hung Ital Java
  Kali Kawi Khar Khmr Khoj Kits Knda Krai Kthi Lana Laoo Lepc Limb Lina Linb Lisu Lyci Lydi Mahj
  Maka Mand Mani Marc Medf Mend Merc Mero Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat
  Newa Nkoo Nshu Ogam Olck Onao Orkh Orya Osge Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd
  Prti Rjng Rohg Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd Sidt Sind Sinh Sogd Sogo Sora Soyo Sund
  Sunu Sylo Syrc Tagb Takr Tale Talu Taml Tang Tavt Tayo Telu Tfng Tglg Thaa Thai Tibt Tirh Tnsa
  Todr Tols Toto Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb`
  .trim()
  .split(/\s+/)
  .flatMap((script) => {
    try {
      return [new RegExp(`^\\p{scx=${script}}*$`, 'u')];
    } catch {
      // An older Node does not know the youngest: to it, their characters are unassigned.
      return [];
    }
  });

/**
 * Whether a name mixes scripts whose letters are easily taken for one another, such as Latin and
 * Cyrillic: whether it is beyond UTS 39 §5.2's "Highly Restrictive". A script alone is fine, and so
 * are Latin letters beside those of Japanese, Chinese or Korean; characters of several scripts count
 * for each (§5.1, by Script_Extensions).
 */
export function mixesScripts(name: string): boolean {
  if (!BEYOND_ASCII.test(name)) return false;
  const letters = name.replace(ANY_SCRIPT, '');
  return ![...WRITTEN_TOGETHER, ...OTHER_SCRIPTS].some((script) => script.test(letters));
}
