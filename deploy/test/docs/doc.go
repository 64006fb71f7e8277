// Package docs holds the tests that compare the documentation with the code, and
// walk the pages as a newcomer does: what a page tells a reader to run is run, in
// a copy of the repository, or marked with why it is not. A page that has drifted
// from what runs fails here.
//
// Owns: nothing but tests.
// Touches: the repository's files, to read them; bash, git, make and the programs
// that it builds, in folders of its own and on free loopback addresses.
// Never: imports the gateway or the agent. It reads their source, so that it
// sees what is written there and not what a build leaves of it.
package docs
