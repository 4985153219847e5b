//go:build race

package deliver

// With the race detector, starting a program takes long.
const stride = 17
