# Products of bfloat16 factors (src/cpu/kernels/bf16): one source, compiled for two units of x86
# processors, where the compiler knows them; which one a processor has is asked when the program starts.
include(CheckCCompilerFlag)
set(folder ${CMAKE_SOURCE_DIR}/src/cpu/kernels/bf16)
set(flags ${isa_flags_avx512} -mavx512bf16)
set(amx_flags -mamx-tile -mamx-bf16)
string(REPLACE ";" " " all "${flags};${amx_flags}")
check_c_compiler_flag("${all}" EEX_COMPILES_BF16)

target_sources(eex_cpu PRIVATE ${folder}/find.c)
if(EEX_COMPILES_BF16)
    set_source_files_properties(${folder}/find.c PROPERTIES COMPILE_DEFINITIONS EEX_HAVE_BF16=1)
    foreach(unit avx512 amx)
        add_library(eex_kernels_bf16_${unit} OBJECT ${folder}/bf16.c)
        set_target_properties(eex_kernels_bf16_${unit} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        target_link_libraries(eex_kernels_bf16_${unit} PRIVATE eex_flags)
        target_compile_options(eex_kernels_bf16_${unit} PRIVATE ${kernel_optimisation}
            -ffp-contract=fast ${flags} $<$<STREQUAL:${unit},amx>:${amx_flags}>)
        target_compile_definitions(eex_kernels_bf16_${unit} PRIVATE
            EEX_BF16_AMX=$<STREQUAL:${unit},amx>)
        target_sources(eex_cpu PRIVATE $<TARGET_OBJECTS:eex_kernels_bf16_${unit}>)
    endforeach()
endif()
