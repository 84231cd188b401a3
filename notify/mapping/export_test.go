package mapping

// The two ways to read a number of North America, for the test that compares them.
var (
	NorthAmerican = northAmerican
	Possible      = possible
)
