/** Numbers in sentences: every language has its own forms, and the browser knows which one a number takes. */

/**
 * @param {string} language
 * @returns {(n: number, forms: Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}) => string}
 *   the form for `n`, with the number in place of {n}
 */
export function plurals(language) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (n, forms) => (forms[rules.select(n)] ?? forms.other).replace("{n}", numbers.format(n));
}
