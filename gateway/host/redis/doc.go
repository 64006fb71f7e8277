// Package redis is what several native gateways know together: how much of a limit
// is used, which addresses are locked, and what was spent.
//
// Owns: the keys below "loongclaw:" and "rate:loongclaw:" in one Redis, and the
// scripts that change them.
// Touches: that Redis; the clock is handed in.
// Never: decides, or waits for a Redis that is gone: it says so at once, and tries
// again later. What happens then is host/native's (docs/adr/0012).
package redis
