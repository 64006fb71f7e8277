// Package bucket says what the agent asks of object storage.
//
// Owns: the interface and its errors. The stores are in bucket/sqlite,
// bucket/disk and bucket/r2; bucket/buckettest is the suite that each must pass.
// Touches: nothing.
// Never: knows what an object means.
package bucket
