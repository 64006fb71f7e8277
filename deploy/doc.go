// Package deploy is the root of the module that builds, deploys and tests the two programs from
// outside. It has no code: the commands are in cmd, and the test beside this file holds
// which package may import which.
package deploy
