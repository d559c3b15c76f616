include(GoogleTest)

# amparo_library(NAME SOURCES a.cc ... [PUBLIC targets] [PRIVATE targets])
# One static library per folder, with the alias amparo::NAME.
function(amparo_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(amparo_${name} STATIC ${ARG_SOURCES})
  add_library(amparo::${name} ALIAS amparo_${name})
  target_include_directories(amparo_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(amparo_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_compile_options(amparo_${name} PRIVATE ${AMPARO_WARNINGS})
endfunction()

# amparo_program(NAME SOURCES main.cc ... LINK targets): an executable NAME in
# the build's bin/.
function(amparo_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  target_compile_options(${name} PRIVATE ${AMPARO_WARNINGS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# amparo_proto(NAME [GRPC] PROTOS a.proto ... [PUBLIC targets]): generated C++
# for .proto files named relative to proto/. Include it as "amparo/v1/a.pb.h".
function(amparo_proto name)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;PUBLIC" ${ARGN})
  set(out ${PROJECT_BINARY_DIR}/generated)
  set(sources)
  foreach(proto ${ARG_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(plugin)
    if(ARG_GRPC)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(plugin --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    add_custom_command(OUTPUT ${made}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND protobuf::protoc -I ${PROJECT_SOURCE_DIR}/proto --cpp_out=${out} ${plugin} ${proto}
      DEPENDS ${PROJECT_SOURCE_DIR}/proto/${proto} VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  add_library(amparo_${name} STATIC ${sources})
  add_library(amparo::${name} ALIAS amparo_${name})
  target_include_directories(amparo_${name} SYSTEM PUBLIC ${out})
  target_link_libraries(amparo_${name} PUBLIC protobuf::libprotobuf ${ARG_PUBLIC})
  if(ARG_GRPC)
    target_link_libraries(amparo_${name} PUBLIC gRPC::grpc++)
  endif()
endfunction()

# amparo_test(NAME SOURCES a_test.cc ... LINK targets): one program, one CTest
# test per TEST(). Cases that need AMPARO_VECTORS skip by name without it.
function(amparo_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} amparo::test_support GTest::gmock GTest::gtest)
  target_compile_options(${name} PRIVATE ${AMPARO_WARNINGS})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    TEST_PREFIX "${name}." PROPERTIES TIMEOUT 120
    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\] [0-9]+ test")
endfunction()

# amparo_fuzzer(NAME SOURCE LINK targets): a libFuzzer program in the fuzz
# preset; everywhere else its corpus is replayed as a test.
function(amparo_fuzzer name)
  cmake_parse_arguments(ARG "" "SOURCE" "LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCE})
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINK})
  target_compile_options(fuzz_${name} PRIVATE ${AMPARO_WARNINGS})
  if(AMPARO_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME fuzz.${name}.corpus
      COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
endfunction()
