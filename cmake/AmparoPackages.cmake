# Debian 12's packages, in one place. deploy/packages.txt lists their names for
# apt; keep both equal.
find_package(Threads REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(tomlplusplus CONFIG REQUIRED)
# nlohmann-json3-dev and libcli11-dev are header-only and on the default path.
find_package(Protobuf REQUIRED)  # module mode: CONFIG is not packaged
find_package(GTest REQUIRED)
if(NOT AMPARO_CORE_ONLY)
  find_package(gRPC CONFIG REQUIRED)
  find_package(RocksDB CONFIG REQUIRED)
  find_package(CURL REQUIRED)
  pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
  pkg_check_modules(QRENCODE REQUIRED IMPORTED_TARGET libqrencode)
  find_package(prometheus-cpp CONFIG REQUIRED)
  find_package(benchmark REQUIRED)
endif()

# ccache where it is installed; paths relative to the checkout, so that another
# checkout of the same sources hits too.
find_program(AMPARO_CCACHE ccache)
if(AMPARO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${AMPARO_CCACHE})
endif()
