//go:build !race

package deliver

// stride is how many steps further TestKilled kills the program each time.
const stride = 1
