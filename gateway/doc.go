// Package gateway is the root of the gateway's module. It has no code: the programs are in cmd,
// and the test beside this file holds which package may import which.
package gateway
