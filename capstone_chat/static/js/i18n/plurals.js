/** Numbers in sentences: each language has its own plural forms, and the browser knows the form for a number. */

/**
 * Return a function that chooses the plural form of a number.
 * @param {string} language
 * @returns {(n: number, forms: Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}) => string}
 *   the form for `n`, with the number in place of {n}
 */
export function plurals(language) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (n, forms) => (forms[rules.select(n)] ?? forms.other).replace("{n}", numbers.format(n));
}
