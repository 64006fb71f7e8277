// Servers of tools and skills, as the API tells of them: what a test makes them.

import { createHash } from 'node:crypto'

/** @typedef {import('../../src/panels/standing.js').Server} Server */
/** @typedef {import('../../src/panels/standing.js').Skill} Skill */

const hashOf = (/** @type {unknown} */ v) => createHash('sha256').update(JSON.stringify(v)).digest('hex')

/** @param {string} name @param {string} [description] @param {any} [properties] */
export const tool = (name, description = `does ${name}`, properties = { text: { type: 'string', description: 'what to say' } }) =>
  ({ name, description, inputSchema: { type: 'object', properties, required: Object.keys(properties).slice(0, 1) } })

export class Outside {
  constructor() {
    /** @type {Server[]} */
    this.servers = []
    /** @type {Skill[]} */
    this.skills = []
    /** @type {Map<string, string>} */
    this.files = new Map()
    /** What was asked for, with bodies. @type {{method: string, path: string, body: any}[]} */
    this.asked = []
    /** Where an authorization leads. */
    this.location = ''
  }

  /** @param {Partial<Server> & {name: string}} of */
  server(of) {
    const tools = of.tools ?? [tool('echo')]
    const one = /** @type {Server} */ ({ scope: 'user', transport: 'http', host: 'tools.example', state: 'unapproved', protocol: '2026-07-28', hash: hashOf(tools), ...of, tools })
    if (one.state === 'connecting' || one.state === 'failed') {
      one.tools = of.tools ?? []
      if (!of.hash) delete one.hash
    }
    this.servers = [...this.servers.filter((s) => s.name !== one.name), one].sort((a, b) => (a.name < b.name ? -1 : 1))
    return one
  }

  /** @param {string} name @param {Partial<Skill> & {text?: string}} [of] */
  skill(name, { text = `---\nname: ${name}\ndescription: tidies up\n---\n\nDo it well.\n`, ...of } = {}) {
    this.files.set(`skills/${name}/SKILL.md`, text)
    const one = { name, description: 'tidies up', hash: hashOf(text), state: 'unapproved', files: ['SKILL.md'], ...of }
    this.skills = [...this.skills.filter((s) => s.name !== name), one]
    return one
  }

  /** @param {string} method @param {string} room @param {string} path @param {any} body @param {(status: number, answer: any) => void} reply */
  answer(method, room, path, body, reply) {
    this.asked.push({ method, path, body })
    const [, , , rawName, verb] = path.split('/')
    const name = decodeURIComponent(rawName ?? '')
    if (room === 'files') {
      const text = this.files.get(decodeURIComponent(path.slice('/api/files/'.length)))
      return text === undefined ? reply(404, { error: 'no such file', code: 'not_found' }) : reply(200, text)
    }
    if (!name) return reply(200, room === 'mcp' ? { servers: this.servers } : { skills: this.skills })
    const all = /** @type {(Server|Skill)[]} */ (room === 'mcp' ? this.servers : this.skills)
    const one = all.find((s) => s.name === name)
    if (method === 'PUT') return reply(200, this.server({ name, host: new URL(body.url).host }))
    if (!one) return reply(404, { error: 'there is no such thing', code: 'not_found' })
    if (verb === 'approve') {
      if (body.hash !== one.hash) return reply(409, { error: 'the definitions are not those of this hash now', code: 'conflict', hint: 'look at them again' })
      one.state = 'ready'
      return reply(200, one)
    }
    if (verb === 'authorize') return reply(200, { location: this.location })
    if (method === 'DELETE') {
      this.servers = this.servers.filter((s) => s !== one)
      return reply(204, '')
    }
    reply(200, one)
  }
}
