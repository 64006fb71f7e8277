// A sentence about a step, with the thing in it.

import { html } from 'htm/preact'
import { sentence } from '../i18n/steps.js'
import { BETWEEN, stepOf } from '../chat/steps.js'
import { tamed } from '../chat/tame.js'
import { Thing } from './exact.js'

/** @typedef {import('../chat/state.js').Call} Call */
/** @typedef {import('../i18n/steps.js').Form} Form */

/** @param {Call} call @returns {Form} */
const formOf = (call) => (call.state === 'approval' ? 'asks' : call.state)

/** A text with `{x}` in it, and what stands there. @param {string} text @param {string} thing @param {boolean} [tool] it is the name of one */
export function filled(text, thing, tool = false) {
  const [before, after] = text.split('{x}')
  return after === undefined ? text : html`${before}<${Thing} text=${thing} between=${tool ? BETWEEN : ''} />${after}`
}

/** @param {{call: Call}} props */
export function Said({ call }) {
  const { verb, object, kind } = stepOf(call)
  return filled(sentence(verb, formOf(call), object !== ''), object, kind === 'tool')
}

/** The same as plain text. @param {Call} call */
export function plainly(call) {
  const { verb, object } = stepOf(call)
  return sentence(verb, formOf(call), object !== '').replace('{x}', () => object.split(BETWEEN).map(tamed).join(' › '))
}
