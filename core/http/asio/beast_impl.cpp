// The one source in which Beast is compiled; everybody else sees declarations only
// (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
