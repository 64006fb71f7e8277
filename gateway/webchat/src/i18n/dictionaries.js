// The words of the parts that come after the page. They are named here, in the first
// load, so that they are asked for beside their part and not after it.

import { dictionary, forTests } from './language.js'

export const faultWords = dictionary({ en: () => import('./faults.en.js').then((m) => m.faults), zh: () => import('./faults.zh.js').then((m) => m.faults) })
export const fileWords = dictionary({ en: () => import('./files.en.js').then((m) => m.files), zh: () => import('./files.zh.js').then((m) => m.files) })
export const placeWords = dictionary({ en: () => import('./places.en.js').then((m) => m.places), zh: () => import('./places.zh.js').then((m) => m.places) })
export const stepWords = dictionary(/** @type {Record<'zh'|'en', () => Promise<import('./steps.js').StepWords>>} */ ({
  en: () => import('./steps.en.js').then((m) => m.steps),
  zh: () => import('./steps.zh.js').then((m) => m.steps),
}))

await forTests(faultWords, fileWords, placeWords, stepWords)
