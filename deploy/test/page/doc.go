// Package page holds the page in front of the real programs to the scores that a
// phone gives it, by Lighthouse.
//
// Owns: nothing but tests.
// Touches: the binaries through package testenv, Chromium through a script of node.
// Never: imports the gateway or the agent, or judges what the page says; the
// page's own tests do.
package page
