// Package gateway is the root of the gateway's module. It has no code: the program is in
// cmd/gateway, and the test beside this file holds which package may import which.
package gateway
